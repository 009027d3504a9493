"""What stands in one place of a provider's file: amounts, days, counts. Whatever cannot be meant is refused there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from softix_proxy.domain.clock import DAY_US, SECOND_US, parse_instant, to_us
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.money import PICO_PER_USD, divide_half_even
from softix_proxy.domain.usage import CURRENCY

MOST_CHARACTERS = 64
"""Of one amount, count or date."""
_LARGEST = 10
"""Power of ten that an amount stays below; no bill is that high."""
_SMALLEST = -60
_MOST_DIGITS = 18
"""Of a count."""
_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_LAST_DAY = 2_932_896
"""9999-12-31."""


class FilePosition(NamedTuple):
    """Where in a file something stands, for the one line that says what is wrong."""

    file: str
    row: int
    """The line of a table, or the number of the result in a JSON file; both from 1."""
    column: str = ""

    def wrong(self, what: str, remedy: str = "") -> BadInputError:
        """To be raised: one line that names the place."""
        where = f"{self.file}, row {self.row}" + (f", column {self.column!r}" if self.column else "")
        return BadInputError(f"{where}: {what}", remedy or "export it again, and do not edit it")


def shown(value: object) -> str:
    """What was found, short enough for one line."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def amount(value: object, place: FilePosition, divisor: int = 1) -> tuple[int, int]:
    """(Pico-USD, rounded half-even; the smallest step that its decimals can show, at least 1).

    A decimal as text, with or without exponent, or a number that JSON made a Decimal or an int. No separators, and
    no sign of a currency.
    """
    text = value.strip() if isinstance(value, str) else str(value)
    number = isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    if not (number and len(text) <= MOST_CHARACTERS and _AMOUNT.fullmatch(text)):
        raise place.wrong(
            f"not an amount: {shown(value)}", "amounts are plain decimals such as 1234.56, without separators"
        )
    decimal = Decimal(text)
    exponent = decimal.as_tuple().exponent
    decimals = min(max(-exponent, 0), -_SMALLEST) if isinstance(exponent, int) else 0
    step_pico = max(PICO_PER_USD // (10**decimals * divisor), 1)
    if not decimal or decimal.adjusted() < _SMALLEST:
        return 0, step_pico
    if decimal.adjusted() >= _LARGEST:
        raise place.wrong(f"the amount is too large: {shown(value)}")
    numerator, denominator = decimal.as_integer_ratio()
    return divide_half_even(numerator * PICO_PER_USD, denominator * divisor), step_pico


def currency(value: object, place: FilePosition) -> None:
    """Refuses what is not US dollars."""
    if not isinstance(value, str) or value.strip().upper() != CURRENCY:
        raise place.wrong(
            f"the currency is {shown(value)}", f"only {CURRENCY} can be compared: export the bill in {CURRENCY}"
        )


def tokens(value: object, place: FilePosition) -> int:
    """A count, not negative; nothing is zero. A table may write it with decimals, if they are zeros."""
    if value is None or value == "":
        return 0
    text = str(value).strip()
    if len(text) <= MOST_CHARACTERS and _AMOUNT.fullmatch(text) and not isinstance(value, bool):
        decimal = Decimal(text)
        if not decimal:
            return 0
        if 0 <= decimal.adjusted() < _MOST_DIGITS and decimal > 0 and decimal == int(decimal):
            return int(decimal)
    raise place.wrong(f"not a count: {shown(value)}")


def day(value: object, place: FilePosition) -> int:
    """Days since 1970 of a date or an instant, in UTC: ISO 8601, `MM/DD/YYYY`, or seconds since 1970."""
    us = _instant_us(value, place)
    number = us // DAY_US
    if not 0 <= number <= _LAST_DAY:
        raise place.wrong(f"not a day: {shown(value)}")
    return number


def require_within_a_day(start: object, end: object, place: FilePosition) -> None:
    """Refuses what covers more than one day, since its cost cannot be laid to a day."""
    started, ended = _instant_us(start, place), _instant_us(end, place)
    if not started < ended <= started - started % DAY_US + DAY_US:
        raise place.wrong(
            f"it does not lie within one day (UTC): {shown(start)} to {shown(end)}", "export the bill by day or hour"
        )


def _instant_us(value: object, place: FilePosition) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12:
        return value * SECOND_US
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        text = value.strip()
        try:
            american = _US_DATE.fullmatch(text)
            if american:
                month, number, year = (int(part) for part in american.groups())
                return to_us(datetime(year, month, number, tzinfo=UTC))
            return parse_instant(text)
        except (ValueError, BadInputError):
            pass
    raise place.wrong(f"not a date: {shown(value)}", "dates are 2026-10-01, 2026-10-01T12:00:00Z or 10/31/2026")


def name(value: object, place: FilePosition) -> str | None:
    """A model's name; nothing, in any of the ways that a file says so, is None."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str) or len(value) > 200:
        raise place.wrong(f"not a model's name: {shown(value)}")
    return " ".join(value.split())
