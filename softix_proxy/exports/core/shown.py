"""How amounts, counts and times are shown to people. What is shown is not rounded, unless its name says so."""

from __future__ import annotations

from datetime import tzinfo

from softix_proxy.domain.core.clock import format_instant, from_us
from softix_proxy.domain.core.money import format_usd


def usd(pico: int) -> str:
    """Returns an exact amount: `$1,234.50`, `-$0.000125`."""
    whole, _, decimals = format_usd(abs(pico)).partition(".")
    return f"{'-' if pico < 0 else ''}${int(whole):,}.{decimals}"


def usd_cents(pico: int) -> str:
    """Returns an amount cut to cents, never rounded up: `$1,234.50`. A balance must not look larger than it is."""
    cents = pico // 10**10
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"


def local_time(instant_us: int, zone: tzinfo) -> str:
    """Returns an instant in a zone, to the minute: `2026-11-30 18:11`."""
    return from_us(instant_us).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def local_day(instant_us: int, zone: tzinfo) -> str:
    return from_us(instant_us).astimezone(zone).strftime("%Y-%m-%d")


def machine_time(instant_us: int) -> str:
    """Returns what the attribute `datetime` of HTML's `time` wants."""
    return format_instant(instant_us) or ""
