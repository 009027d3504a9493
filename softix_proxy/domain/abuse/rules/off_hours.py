"""Notices use outside of the hours of a key."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import HOURS_A_WEEK, KeyHours
from softix_proxy.domain.abuse.history import is_known
from softix_proxy.domain.abuse.robust import median
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds

_DAY_HOURS = 24
_THURSDAY = 3
"""The day of the week on which 1970 began, from Monday on."""
_SATURDAY = 5
_ENOUGH_HOURS = 60
_SLACK_HOURS = 2
_MOST_USED_HOURS = 16
"""A key that is used at more hours of the day has no hours."""


def _local(use: KeyHours, hour: int) -> tuple[bool, int]:
    """Returns whether the hour is on a weekend, and its place in the day, by the operator's clock."""
    day, of_day = divmod(hour + use.offset_hours, _DAY_HOURS)
    return (day + _THURSDAY) % 7 >= _SATURDAY, of_day


def _is_outside_own(use: KeyHours, limits: Thresholds) -> bool:
    weekend, of_day = _local(use, use.hour)
    begins, ends = limits["from_hour"], limits["to_hour"]
    inside = begins <= of_day < ends if begins < ends else of_day >= begins or of_day < ends
    return not inside or (weekend and bool(limits["weekdays_only"]))


def _is_outside_learned(use: KeyHours, limits: Thresholds) -> bool:
    last_week = range(use.hour - HOURS_A_WEEK - _SLACK_HOURS, use.hour - HOURS_A_WEEK + _SLACK_HOURS + 1)
    if any(hour in use.hours for hour in last_week) or not is_known(use, limits["history_days"], _ENOUGH_HOURS):
        return False
    weekend, of_day = _local(use, use.hour)
    used = {place for is_weekend, place in (_local(use, hour) for hour in use.earlier()) if weekend or not is_weekend}
    if not used or len(used) > _MOST_USED_HOURS:
        return False
    near = {(of_day + step) % _DAY_HOURS for step in range(-_SLACK_HOURS, _SLACK_HOURS + 1)}
    return not near & used


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    requests, own = use.now.requests, limits["from_hour"] != limits["to_hour"]
    if requests < limits["least_requests"]:
        return
    if not (_is_outside_own(use, limits) if own else _is_outside_learned(use, limits)):
        return
    usual_requests = median([use.hours[hour].requests for hour in use.earlier()])
    if not own and requests * 2 < usual_requests:
        return
    of_day = _local(use, use.hour)[1]
    hours = f"its hours are {limits['from_hour']} to {limits['to_hour']}" if own else "it was never used near this hour"
    text = f"The key made {requests} requests between {of_day}:00 and {of_day + 1}:00 by the operator's clock: {hours}."
    figures = {"requests": requests, "hour_of_day": of_day, "usual_requests": usual_requests}
    yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)


RULE = AbuseRule(
    "off-hours",
    "A key is used outside of the hours that were set for it, or at a time of the day at which it never was.",
    "It learns nothing of a key that is used around the clock, and nothing in the first four weeks.",
    KeyHours,
    (
        Threshold("least_requests", 50, "requests an hour", "fewer than this are never noticed", 1),
        Threshold("from_hour", 0, "hour of the day", "when the key's hours begin; the same as to_hour: learned", 0, 23),
        Threshold("to_hour", 0, "hour of the day", "when the key's hours end", 0, 23),
        Threshold("weekdays_only", 0, "0 or 1", "whether a weekend is outside of hours that are set", 0, 1),
        Threshold("history_days", 28, "days", "how long a key must be known to learn its hours", 14, 60),
    ),
    _find,
)
