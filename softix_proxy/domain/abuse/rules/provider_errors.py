"""Notices bursts of errors of providers that only one key has."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.history import usual
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds

_ENOUGH_OTHERS = 20
"""The requests of other keys from which on they say something."""


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    failures, requests, others = use.now.failures, use.now.requests, use.everyone
    if failures < limits["least_failures"] or failures * 100 < limits["percent"] * requests:
        return
    if others.requests >= _ENOUGH_OTHERS and others.failures * 100 >= limits["others_percent"] * others.requests:
        return  # the provider fails for everybody
    usual_failures = usual(use, lambda hour: hour.failures).most
    if failures <= usual_failures * limits["factor"]:
        return
    text = (
        f"{failures} of the key's {requests} requests in this hour ended with an error of the provider. "
        f"At this hour of the week there are usually at most {usual_failures}."
    )
    figures = {"failures": failures, "requests": requests, "usual_failures": usual_failures}
    yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)


RULE = AbuseRule(
    "provider-errors",
    "Most requests of a key end with errors of the provider, and those of other keys do not.",
    "It cannot see why a provider refuses, and is silent while the provider fails for other keys too.",
    KeyHours,
    (
        Threshold("least_failures", 50, "requests an hour", "fewer errors than this are never noticed", 1),
        Threshold("percent", 50, "percent of the key's requests", "the share that must fail", 1, 100),
        Threshold("factor", 5, "times", "how many times the usual number", 1, 1000),
        Threshold("others_percent", 20, "percent of others' requests", "from here on the provider is at fault", 1, 101),
    ),
    _find,
)
