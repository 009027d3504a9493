"""Addresses for the rules about places."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from softix_proxy.domain.abuse.places import KeyPlaces, SeenAddress
from softix_proxy.domain.core.clock import DAY_US, SECOND_US

NOW_US = 1_800_000_000_000_000
TODAY = NOW_US // DAY_US
HOME = ("192.0.2.7", "192.0.2.8")
"""Two addresses of one network."""


def seen(days_ago: int, address: str, requests: int = 100, *, minutes_ago: int = 10) -> SeenAddress:
    last_us = NOW_US - days_ago * DAY_US - minutes_ago * 60 * SECOND_US
    return SeenAddress(TODAY - days_ago, address, last_us - 60 * SECOND_US, last_us, requests)


def at_home(days: int = 30, addresses: Iterable[str] = HOME) -> list[SeenAddress]:
    return [seen(day, address) for day in range(days + 1) for address in addresses]


def places(found: list[SeenAddress], country_of: Callable[[str], str] = lambda _: "") -> KeyPlaces:
    return KeyPlaces(7, "key_seven", 3, NOW_US, found, country_of)
