from __future__ import annotations

from support.abuse_places import at_home, places, seen
from support.abuse_traffic import found

from softix_proxy.domain.abuse.rules.new_country import RULE

COUNTRIES = {"192.0.2.7": "DE", "192.0.2.8": "FR", "198.51.100.9": "BR", "198.51.100.10": "DE"}


def country_of(address: str) -> str:
    return COUNTRIES.get(address, "")


def test_requests_from_a_country_that_is_new_are_noticed() -> None:
    [suspicion] = found(RULE, places([*at_home(), seen(0, "198.51.100.9", 5)], country_of))
    assert "5 requests from the country BR" in suspicion.text and "from DE, FR" in suspicion.text
    assert suspicion.figures == {"requests": 5, "usual_countries": 2}


def test_known_country_few_requests_and_unknown_addresses_are_not_noticed() -> None:
    assert found(RULE, places([*at_home(), seen(0, "198.51.100.10", 900)], country_of)) == []
    assert found(RULE, places([*at_home(), seen(0, "198.51.100.9", 4)], country_of)) == []
    assert found(RULE, places([*at_home(), seen(0, "203.0.113.1", 900)], country_of)) == []
    assert found(RULE, places([*at_home(13), seen(0, "198.51.100.9", 900)], country_of)) == []


def test_without_a_file_of_countries_nothing_is_noticed() -> None:
    assert found(RULE, places([*at_home(), seen(0, "198.51.100.9", 900)])) == []
