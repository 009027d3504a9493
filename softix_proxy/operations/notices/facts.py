"""The values of messages as people read them: amounts, times and names."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.core.clock import CapPeriod, from_us
from softix_proxy.domain.core.money import PICO_PER_USD, divide_half_even

PERIODS: Mapping[CapPeriod, str] = {
    "day": "this day",
    "week": "this week",
    "month": "this month",
    "total": "in total",
}
_CENT_PICO = PICO_PER_USD // 100


def usd(pico: int) -> str:
    """Returns the amount in dollars, rounded to cents: `$12.50`, `-$0.03`. Smaller ones are `less than $0.01`."""
    cents = divide_half_even(abs(pico), _CENT_PICO)
    if pico and not cents:
        return "less than $0.01"
    return f"{'-' if pico < 0 else ''}${cents // 100}.{cents % 100:02d}"


def when(instant_us: int) -> str:
    """Returns the instant to the minute: `2026-11-30 18:15 UTC`."""
    return f"{from_us(instant_us):%Y-%m-%d %H:%M} UTC"


def key_name(key: Key) -> str:
    """Returns the key's name and its visible prefix, by which people know it."""
    return f"{key.label} ({key.prefix}…)" if key.label else f"{key.prefix}…"
