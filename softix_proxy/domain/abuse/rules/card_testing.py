"""Notices payments by which somebody tries whether stolen cards work."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import PaymentTries
from softix_proxy.domain.abuse.rule import ALERT_ONLY, AbuseRule, Suspicion, Threshold, Thresholds


def _find(seen: PaymentTries, limits: Thresholds) -> Iterator[Suspicion]:
    unpaid = seen.failed + seen.open
    if (
        seen.failed < limits["failed"]
        and seen.small_failed < limits["small_failed"]
        and (seen.tried < limits["tried"] or unpaid * 100 < limits["unpaid_percent"] * seen.tried)
    ):
        return
    text = (
        f"The organisation tried {seen.tried} payments within a day: {seen.failed} failed, "
        f"{seen.small_failed} of these of at most ten dollars, {seen.open} were left open, and {seen.paid} were paid."
    )
    figures = {
        "tried": seen.tried,
        "failed": seen.failed,
        "small_failed": seen.small_failed,
        "open": seen.open,
        "paid": seen.paid,
    }
    yield Suspicion(seen.organisation, text, figures, user_id=seen.user_id)


RULE = AbuseRule(
    "card-testing",
    "An organisation tries many payments that fail, or many small ones, as with stolen cards.",
    "It cannot see the tries within one page of the payment provider, nor cards, which softix never sees.",
    PaymentTries,
    (
        Threshold("failed", 8, "failed payments a day", "from here on it is noticed", 1),
        Threshold("small_failed", 5, "failed payments a day", "of at most ten US dollars", 1),
        Threshold("tried", 15, "payments a day", "from here on, if most are not paid", 1),
        Threshold("unpaid_percent", 80, "percent of the payments", "that failed or were left open", 1, 100),
    ),
    _find,
    actions=ALERT_ONLY,
)
