"""Notices use from a network that a key never was used from."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import HOUR_US
from softix_proxy.domain.abuse.places import KeyPlaces
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds


def _find(use: KeyPlaces, limits: Thresholds) -> Iterator[Suspicion]:
    if use.known_days() < limits["history_days"]:
        return
    since_us = use.now_us - limits["fresh_hours"] * HOUR_US
    networks = use.networks()
    new = {name for name, seen in networks.items() if min(one.first_us for one in seen) >= since_us}
    usual = len(networks) - len(new)
    if not 0 < usual <= limits["most_usual"]:
        return
    for name in sorted(new):
        requests = sum(one.requests for one in networks[name])
        if requests >= limits["least_requests"]:
            text = (
                f"The key made {requests} requests from the network {name}, from which it never was used. "
                f"In the days before it was used from {usual} networks."
            )
            figures = {"requests": requests, "usual_networks": usual}
            yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)
            return  # one alert names the key, however many networks are new


RULE = AbuseRule(
    "new-network",
    "A key that is used from few networks is used from another one.",
    "It cannot see a thief in the same network, and is silent about keys that are used from many networks.",
    KeyPlaces,
    (
        Threshold("least_requests", 20, "requests", "fewer than this from the network are never noticed", 1),
        Threshold("most_usual", 3, "networks", "a key with more of them roams", 1, 1000),
        Threshold("history_days", 14, "days", "how long a key must be known", 1, 60),
        Threshold("fresh_hours", 24, "hours", "how new the network must be", 1, 168),
    ),
    _find,
)
