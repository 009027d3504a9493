"""What was posted by a clock that was wrong, and how it is booked where it belongs.

A row keeps its number, which is its date. So its amount is taken back there, by a row of the same day, and booked anew
where it belongs, by another: both are corrections of it, and together nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from softix_proxy.domain.usage import Meters

REDATED = "redated: "
TAKEN_BACK, BOOKED = f"{REDATED}taken back", f"{REDATED}booked"
"""What the notes on such rows, and the references of payments, begin with."""


@dataclass(frozen=True, slots=True)
class MisdatedPosting:
    """What a request, or a payment, moved on one day on which it did not."""

    kind: Literal["usage", "top-up", "adjustment"]
    number: int
    """Of its first row, which the others correct."""
    posted_us: int
    """When the last of its rows of that day was posted, as the clock said."""
    day: int
    """Days since 1970, of what is to be taken back."""
    user_name: str
    amount_pico: int
    """Of usage what was charged; of a payment what the wallet gained."""
    cost_pico: int = 0
    meters: Meters | None = None
    request_id: int | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class RedatedPosting:
    """One of these, and where it is booked; None for what stays, since its day is in a closed period."""

    misdated: MisdatedPosting
    booked_us: int | None


def booked_at_us(posted_us: int, ahead_us: int | None, closed_us: int, now_us: int) -> int:
    """Where a posting belongs: so long before as the clock was ahead, if that is past and open; else now."""
    if ahead_us is None or not closed_us <= posted_us - ahead_us < now_us:
        return now_us
    return posted_us - ahead_us
