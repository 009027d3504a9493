"""Notices networks that guess keys or passwords."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import Guesses
from softix_proxy.domain.abuse.rule import ALERT_ONLY, AbuseRule, Suspicion, Threshold, Thresholds


def _find(seen: Guesses, limits: Thresholds) -> Iterator[Suspicion]:
    if seen.keys < limits["keys"] and seen.sign_ins < limits["sign_ins"]:
        return
    text = (
        f"From this network came {seen.keys} API keys that are not valid, and {seen.sign_ins} sign-ins that failed, "
        "within two hours."
    )
    yield Suspicion(seen.network, text, {"keys": seen.keys, "sign_ins": seen.sign_ins})


RULE = AbuseRule(
    "guessing",
    "One network tries many keys that are not valid, or many passwords.",
    "It cannot see guesses that are spread over many networks, and it is told nothing by a proxy that hides addresses.",
    Guesses,
    (
        Threshold("keys", 100, "invalid keys in two hours", "from here on it is noticed", 1),
        Threshold("sign_ins", 40, "failed sign-ins in two hours", "from here on it is noticed", 1),
    ),
    _find,
    actions=ALERT_ONLY,
)
