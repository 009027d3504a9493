"""Notices clients that hang up before the end of most answers, as to avoid payment."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import NO_USE, KeyHours
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds

_HOURS = 3


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    if not use.now.hang_ups:
        return
    last = [use.hours.get(hour, NO_USE) for hour in range(use.hour - _HOURS + 1, use.hour + 1)]
    hang_ups, requests = sum(each.hang_ups for each in last), sum(each.requests for each in last)
    if hang_ups < limits["least_hang_ups"] or hang_ups * 100 < limits["percent"] * requests:
        return
    earlier = [use.hours[hour] for hour in use.earlier() if hour <= use.hour - _HOURS]
    before, of_all = sum(each.hang_ups for each in earlier), sum(each.requests for each in earlier)
    usual_percent = before * 100 // of_all if of_all else 0
    if usual_percent * 2 >= limits["percent"]:
        return  # this client always did, as one that reads only the beginning of answers
    text = (
        f"The client hung up before the end of {hang_ups} of the key's {requests} requests in three hours. "
        f"Usually it does so in {usual_percent} percent."
    )
    figures = {"hang_ups": hang_ups, "requests": requests, "usual_percent": usual_percent}
    yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)


RULE = AbuseRule(
    "hang-ups",
    "The client of a key hangs up before the end of most answers, as somebody does who wants answers without paying.",
    "It cannot see why a client hangs up, and a person who presses Stop looks the same.",
    KeyHours,
    (
        Threshold("least_hang_ups", 60, "requests in three hours", "fewer than this are never noticed", 1),
        Threshold("percent", 60, "percent of the key's requests", "the share that must end so", 1, 100),
    ),
    _find,
)
