"""Reads single values of a provider's file: amounts, days, counts. It refuses values without a clear meaning."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from softix_proxy.domain.core.clock import DAY_US, SECOND_US, parse_instant, to_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import CURRENCY, PICO_PER_USD, divide_half_even

MOST_CHARACTERS = 64
"""The most characters of one amount, count or date."""
_LARGEST = 10
"""The power of ten that an amount must stay below. No bill is that high."""
_SMALLEST = -60
_MOST_DIGITS = 18
"""The most digits of a count."""
_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_LAST_DAY = 2_932_896
"""The day 9999-12-31, in days since 1970."""


class FilePosition(NamedTuple):
    """A position in a file, for the one line that states a mistake."""

    file: str
    row: int
    """The line of a table, or the number of the result in a JSON file. Both begin at 1."""
    column: str = ""

    def wrong(self, what: str, remedy: str = "") -> BadInputError:
        """Returns the error to raise. Its message is one line that names the position."""
        where = f"{self.file}, row {self.row}" + (f", column {self.column!r}" if self.column else "")
        return BadInputError(f"{where}: {what}", remedy or "export it again, and do not edit it")


def shown(value: object) -> str:
    """Returns the found value, cut to fit into one line."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def amount(value: object, place: FilePosition, divisor: int = 1) -> tuple[int, int]:
    """Returns (the amount in pico-USD, rounded half-even; the smallest step that its decimals can show, at least 1).

    The value is a decimal as text, with or without exponent, or a number that JSON made a Decimal or an int. It has no
    separators and no currency sign.
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
    """Refuses a currency other than US dollars."""
    if not isinstance(value, str) or value.strip().upper() != CURRENCY:
        raise place.wrong(
            f"the currency is {shown(value)}", f"only {CURRENCY} can be compared: export the bill in {CURRENCY}"
        )


def tokens(value: object, place: FilePosition) -> int:
    """Returns a count that is not negative. A missing one is zero.

    A table may write it with decimals if they are zeros.
    """
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
    """Returns the UTC day of a date or an instant in days since 1970.

    The value is ISO 8601, `MM/DD/YYYY`, or seconds since 1970.
    """
    us = _instant_us(value, place)
    number = us // DAY_US
    if not 0 <= number <= _LAST_DAY:
        raise place.wrong(f"not a day: {shown(value)}")
    return number


def require_within_a_day(start: object, end: object, place: FilePosition) -> None:
    """Refuses a line that covers more than one day, because its cost cannot be assigned to a day."""
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
    """Returns a model's name, or None if the file has none, in whatever way it says so."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str) or len(value) > 200:
        raise place.wrong(f"not a model's name: {shown(value)}")
    return " ".join(value.split())
