"""Notices use from a country that a key never was used from."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import HOUR_US
from softix_proxy.domain.abuse.places import KeyPlaces
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds


def _find(use: KeyPlaces, limits: Thresholds) -> Iterator[Suspicion]:
    if use.known_days() < limits["history_days"]:
        return
    since_us = use.now_us - limits["fresh_hours"] * HOUR_US
    countries = use.countries()
    new = {name for name, seen in countries.items() if min(one.first_us for one in seen) >= since_us}
    usual = sorted(countries.keys() - new)
    if not 0 < len(usual) <= limits["most_usual"]:
        return
    for name in sorted(new):
        requests = sum(one.requests for one in countries[name])
        if requests >= limits["least_requests"]:
            text = (
                f"The key made {requests} requests from the country {name}, from which it never was used. "
                f"Before it was used from {', '.join(usual)}."
            )
            figures = {"requests": requests, "usual_countries": len(usual)}
            yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)
            return


RULE = AbuseRule(
    "new-country",
    "A key that is used from few countries is used from another one. It needs a file of countries.",
    "It cannot see past a VPN, and is as wrong as the file of countries.",
    KeyPlaces,
    (
        Threshold("least_requests", 5, "requests", "fewer than this from the country are never noticed", 1),
        Threshold("most_usual", 3, "countries", "a key with more of them travels", 1, 200),
        Threshold("history_days", 14, "days", "how long a key must be known", 1, 60),
        Threshold("fresh_hours", 24, "hours", "how new the country must be", 1, 168),
    ),
    _find,
)
