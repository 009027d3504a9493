from __future__ import annotations

from support.abuse_places import at_home, places, seen
from support.abuse_traffic import found

from softix_proxy.domain.abuse.rules.new_network import RULE


def test_requests_from_a_network_that_is_new_are_noticed() -> None:
    [suspicion] = found(RULE, places([*at_home(), seen(0, "198.51.100.9", 20)]))
    assert suspicion.subject == "key_seven"
    assert "20 requests from the network 198.51.100.0/24" in suspicion.text and "from 1 networks" in suspicion.text
    assert suspicion.figures == {"requests": 20, "usual_networks": 1}


def test_new_address_of_a_known_network_and_few_requests_are_not_noticed() -> None:
    assert found(RULE, places([*at_home(), seen(0, "192.0.2.200", 900)])) == []
    assert found(RULE, places([*at_home(), seen(0, "198.51.100.9", 19)])) == []
    assert found(RULE, places([*at_home(), seen(0, "", 900)])) == [], "what is beyond the bound has no address"


def test_new_key_and_one_that_roams_are_not_noticed() -> None:
    assert found(RULE, places([*at_home(13), seen(0, "198.51.100.9", 900)])) == []
    roaming = at_home(addresses=[f"10.{number}.0.1" for number in range(4)])
    assert found(RULE, places([*roaming, seen(0, "198.51.100.9", 900)])) == []
    assert found(RULE, places(roaming)) == []


def test_network_of_ipv6_is_its_48() -> None:
    home = at_home(addresses=["2001:db8:1:1::1"])
    assert found(RULE, places([*home, seen(0, "2001:db8:1:2::1", 900)])) == []
    assert found(RULE, places([*home, seen(0, "2001:db8:2::1", 900)]))
