"""The arithmetic of money, which is an int of pico-USD (10^-12 $).

It is parsed and shown as exact decimal text, and is never a float.
"""

from __future__ import annotations

import re

from softix_proxy.domain.core.errors import BadInputError

CURRENCY = "USD"
PICO_PER_USD = 10**12
PICO_PER_CENT = PICO_PER_USD // 100
MAX_PICO = 2**63 - 1
"""The greatest amount that a 64-bit column holds: $9,223,372.036854775807."""

_AMOUNT = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,12}))?", re.ASCII)


def parse_usd(text: str) -> int:
    """Parses an amount: `'25.00'` → 25 × 10^12 pico-USD. It has at most twelve decimals, no exponent and no separators.

    Raises BadInputError for anything else, and for an amount that does not fit into 64 bits.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise BadInputError(
            f"not an amount: {text!r}", "write US dollars as plain decimals, for example 25.00 or 0.000125"
        )
    sign, whole, fraction = match.groups()
    pico = int(whole) * PICO_PER_USD + int((fraction or "").ljust(12, "0"))
    if pico > MAX_PICO:
        raise BadInputError(f"amount too large: {text}", "a wallet holds up to $9,223,372")
    return -pico if sign == "-" else pico


def format_usd(pico: int) -> str:
    """Returns exact decimal text without an exponent. It has at least two decimals and at most twelve."""
    whole, fraction = divmod(abs(pico), PICO_PER_USD)
    decimals = f"{fraction:012d}".rstrip("0").ljust(2, "0")
    return f"{'-' if pico < 0 else ''}{whole}.{decimals}"


def format_cents(cents: int) -> str:
    """Formats cents: `-1205` → `-12.05`."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """Returns the integer nearest to numerator / denominator, and the even one of a tie.

    The denominator must be > 0.
    """
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient
