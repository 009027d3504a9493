"""Notices a key that is used from many networks at once."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import HOUR_US
from softix_proxy.domain.abuse.places import KeyPlaces, network_of
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds


def _find(use: KeyPlaces, limits: Thresholds) -> Iterator[Suspicion]:
    since_us = use.now_us - HOUR_US
    now = {network_of(one.address) for one in use.seen if one.last_us >= since_us and one.address}
    if len(now) < limits["least_networks"]:
        return
    today = max(one.day for one in use.seen)
    by_day: dict[int, set[str]] = {}
    for one in use.seen:
        if one.day != today:
            by_day.setdefault(one.day, set()).add(network_of(one.address))
    usual = max((len(networks) for networks in by_day.values()), default=0)
    if len(now) <= usual * limits["factor"]:
        return
    text = (
        f"The key was used from {len(now)} networks within an hour. "
        f"On the days before it was used from at most {usual} networks a day."
    )
    yield Suspicion(use.public_id, text, {"networks": len(now), "usual_networks": usual}, use.key_id, use.user_id)


RULE = AbuseRule(
    "many-addresses",
    "A key is used from far more networks at once than on any day before, as a key that was passed around.",
    "It cannot tell customers of a program that ships its key from thieves, and sees one network behind a gateway.",
    KeyPlaces,
    (
        Threshold("least_networks", 20, "networks an hour", "fewer than this are never noticed", 2),
        Threshold("factor", 2, "times", "how many times those of the busiest day before", 1, 1000),
    ),
    _find,
)
