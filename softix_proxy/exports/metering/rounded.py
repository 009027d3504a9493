"""Rounds numbers for display. Rounded numbers are never added up."""

from __future__ import annotations

from softix_proxy.domain.core.money import PICO_PER_USD, divide_half_even


def money(pico: int) -> str:
    """Formats an amount to the cent, or to a ten-thousandth of a dollar below one dollar."""
    decimals = 2 if abs(pico) >= PICO_PER_USD or pico == 0 else 4
    units = divide_half_even(abs(pico) * 10**decimals, PICO_PER_USD)
    sign = "-" if pico < 0 else ""
    if pico and not units:
        return f"{sign}<$0.0001"
    return f"{sign}${units // 10**decimals:,}.{units % 10**decimals:0{decimals}d}"


def count(number: int) -> str:
    """Formats a count with three or four digits: `950`, `12.3 k`, `4.10 M`."""
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if number >= 10**power:
            hundredths = number * 100 // 10**power
            whole, rest = divmod(hundredths, 100)
            decimals = {1: f".{rest:02d}", 2: f".{rest // 10}"}.get(len(str(whole)), "")
            return f"{whole}{decimals} {letter}"
    return str(number)


def percent(value: int, whole: int) -> str:
    """Formats a percentage. A small value that is not zero is `<1`."""
    rounded = divide_half_even(100 * value, whole) if whole else 0
    return "<1" if value > 0 and not rounded else str(rounded)
