"""Compares the present hour of a key with what the key usually does at this hour of the week."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from softix_proxy.domain.abuse.evidence import HOURS_A_WEEK, NO_USE, HourUse, KeyHours
from softix_proxy.domain.abuse.robust import deviation, median, quantile

_NEAR_HOURS = 1
_DAY_HOURS = 24
_TOP_PERCENT = 99
_SPREADS = 10
"""How many deviations above the median still count as usual."""


class Usual(NamedTuple):
    """What is usual for a key at this hour."""

    same_hour: int
    """The median over the weeks of the most at this hour of the week or beside it, and ten deviations more."""
    top: int
    """What all but one of a hundred of its hours with use stay below."""

    @property
    def most(self) -> int:
        return max(self.same_hour, self.top)


def usual(use: KeyHours, of: Callable[[HourUse], int]) -> Usual:
    """Returns what is usual, by all hours that are known. Hours without use count as nothing."""
    first, values = min(use.hours, default=use.hour), []
    for week in range(1, use.known_hours // HOURS_A_WEEK + 1):
        middle = use.hour - week * HOURS_A_WEEK
        near = range(max(middle - _NEAR_HOURS, first), middle + _NEAR_HOURS + 1)
        values.append(max(of(use.hours.get(hour, NO_USE)) for hour in near))
    same_hour = median(values) + _SPREADS * deviation(values)
    return Usual(same_hour, quantile([of(use.hours[hour]) for hour in use.earlier()], _TOP_PERCENT))


def is_known(use: KeyHours, days: int, active_hours: int = 24) -> bool:
    """Returns whether there is enough to compare with: so many days, and hours with use among them."""
    return use.known_hours >= days * _DAY_HOURS and len(use.earlier()) >= active_hours
