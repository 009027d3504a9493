"""Gathers from where a key was used, for the rules that look at addresses."""

from __future__ import annotations

from collections.abc import Callable

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.places import KeyPlaces, SeenAddress
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Unit

_HISTORY_US = 35 * DAY_US


def nowhere(address: str) -> str:
    """Returns no country, where the operator gives no file of countries."""
    del address
    return ""


async def places_of(unit: Unit, use: KeyHours, country_of: Callable[[str], str] = nowhere) -> KeyPlaces:
    """Returns the addresses of the key in the last five weeks."""
    now_us = unit.clock.now_us()
    seen = [
        SeenAddress(day=one.day, address=one.address, first_us=one.first_us, last_us=one.last_us, requests=one.requests)
        for one in await unit.technical_data.addresses_of_key(use.key_id, now_us - _HISTORY_US)
    ]
    return KeyPlaces(use.key_id, use.public_id, use.user_id, now_us, seen, country_of)
