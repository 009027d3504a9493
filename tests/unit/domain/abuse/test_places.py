from __future__ import annotations

import pytest
from support.abuse_places import HOME, at_home, places, seen

from softix_proxy.domain.abuse.places import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_address_is_counted_by_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_days_of_a_key_are_counted_from_its_first_use() -> None:
    assert places(at_home(30)).known_days() == 30 and places([]).known_days() == 0


def test_addresses_are_grouped_by_network_without_those_of_which_only_the_number_is_kept() -> None:
    found = places([*at_home(1), seen(0, "198.51.100.7"), seen(0, "")]).networks()
    assert {network: len(rows) for network, rows in found.items()} == {"192.0.2.0/24": 4, "198.51.100.0/24": 1}


def test_countries_are_those_that_are_known() -> None:
    found = places([*at_home(0), seen(0, "198.51.100.7")], {HOME[0]: "DE"}.get).countries()  # type: ignore[arg-type]
    assert {country: [one.address for one in rows] for country, rows in found.items()} == {"DE": [HOME[0]]}
