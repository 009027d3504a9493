from __future__ import annotations

from support.abuse_places import at_home, places, seen
from support.abuse_traffic import found

from softix_proxy.domain.abuse.rules.many_addresses import RULE

NETWORKS = [f"10.0.{number}.1" for number in range(60)]


def test_use_from_many_networks_within_an_hour_is_noticed() -> None:
    [suspicion] = found(RULE, places([*at_home(), *(seen(0, address, 1) for address in NETWORKS[:19])]))
    assert "20 networks within an hour" in suspicion.text and "at most 1 networks a day" in suspicion.text
    assert suspicion.figures == {"networks": 20, "usual_networks": 1}


def test_few_networks_and_many_addresses_of_one_and_a_whole_day_are_not_noticed() -> None:
    assert found(RULE, places([*at_home(), *(seen(0, address, 1) for address in NETWORKS[:18])])) == []
    assert found(RULE, places([seen(0, f"10.0.0.{number}") for number in range(200)])) == []
    over_the_day = [seen(0, address, minutes_ago=61 + number) for number, address in enumerate(NETWORKS)]
    assert found(RULE, places([*at_home(), *over_the_day])) == []


def test_program_with_many_customers_is_not_noticed() -> None:
    before = [seen(1, address) for address in NETWORKS[:30]]
    assert found(RULE, places([*before, *(seen(0, address) for address in NETWORKS)])) == []
    assert found(RULE, places([])) == []
