"""Notices bursts of requests that softix refuses."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.history import usual
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    refused, requests = use.now.refused, use.now.requests
    if refused < limits["least_refused"] or refused * 100 < limits["percent"] * (refused + requests):
        return
    if use.everyone.refused > refused:
        return  # softix refuses everybody, as while its disk is full
    usual_refused = usual(use, lambda hour: hour.refused).most
    if refused <= usual_refused * limits["factor"]:
        return
    text = (
        f"softix refused {refused} requests of the key in this hour, and let {requests} pass. "
        f"At this hour of the week it usually refuses at most {usual_refused}."
    )
    figures = {"refused": refused, "requests": requests, "usual_refused": usual_refused}
    yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)


RULE = AbuseRule(
    "refusals",
    "softix refuses far more requests of a key than usual: by its limits, its models or its networks.",
    "It cannot see requests that a server in front of softix refuses, nor those of other keys that it refuses.",
    KeyHours,
    (
        Threshold("least_refused", 200, "requests an hour", "fewer refusals than this are never noticed", 1),
        Threshold("percent", 50, "percent of the key's requests", "the share that must be refused", 1, 100),
        Threshold("factor", 5, "times", "how many times the usual number", 1, 1000),
    ),
    _find,
)
