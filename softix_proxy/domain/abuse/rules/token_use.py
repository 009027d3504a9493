"""Notices tokens far above a key's own history."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.history import is_known, usual
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    tokens = use.now.tokens
    if tokens < limits["least_tokens"] or not is_known(use, limits["history_days"]):
        return
    usual_tokens = usual(use, lambda hour: hour.tokens).most
    if tokens <= usual_tokens * limits["factor"]:
        return
    text = (
        f"The key used {tokens:,} tokens in this hour. "
        f"At this hour of the week it usually uses at most {usual_tokens:,}."
    )
    yield Suspicion(use.public_id, text, {"tokens": tokens, "usual_tokens": usual_tokens}, use.key_id, use.user_id)


RULE = AbuseRule(
    "tokens",
    "A key uses far more tokens in an hour than it ever did at this hour of the week.",
    "It cannot see use that is spread over many keys, and it knows nothing of a key in its first days.",
    KeyHours,
    (
        Threshold("factor", 8, "times", "how many times the usual number", 2, 1000),
        Threshold("least_tokens", 1_000_000, "tokens an hour", "fewer than this are never noticed", 1),
        Threshold("history_days", 7, "days", "how long a key must be known", 7, 60),
    ),
    _find,
)
