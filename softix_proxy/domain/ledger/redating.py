"""The correction of postings that a wrong clock dated.

A row keeps its number, which is its date. So its amount is reversed there, by a row of the same day, and booked again
at the right time by another row. Both are corrections of it, and together they are zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softix_proxy.domain.pricing.meters import Meters

REDATED = "redated: "
TAKEN_BACK, BOOKED = f"{REDATED}taken back", f"{REDATED}booked"
"""The prefixes of the notes on such rows, and of the references of payments."""


@dataclass(frozen=True, slots=True)
class MisdatedPosting:
    """The amount that a request or a payment moved on a wrong day."""

    kind: Literal["usage", "top-up", "adjustment"]
    number: int
    """The number of its first row, which the others correct."""
    posted_us: int
    """The time by the clock at which the last of its rows of that day was posted."""
    day: int
    """The wrong day, as days since 1970."""
    user_name: str
    amount_pico: int
    """The charge of usage, or the amount that the wallet gained by a payment."""
    cost_pico: int = 0
    meters: Meters | None = None
    request_id: int | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class RedatedPosting:
    """A misdated posting, and the time at which it is booked.

    The time is None if the posting stays, because its day is in a closed period.
    """

    misdated: MisdatedPosting
    booked_us: int | None


def copied_number(reference: str | None, prefix: str) -> int | None:
    """Returns the number of the payment of which a row with this reference is the copy. None if it is no such copy."""
    begun, _, number = (reference or "").rpartition(" ")
    return int(number) if begun == prefix and number.isascii() and number.isdigit() else None


def booked_at_us(posted_us: int, ahead_us: int | None, closed_us: int, now_us: int) -> int:
    """Returns when a posting belongs: earlier by the error of the clock, if that is past and open, and otherwise
    now.
    """
    if ahead_us is None or not closed_us <= posted_us - ahead_us < now_us:
        return now_us
    return posted_us - ahead_us
