"""Notices a key that was found in public."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import LeakReport
from softix_proxy.domain.abuse.rule import AbuseAction, AbuseRule, Suspicion, Thresholds


def _find(report: LeakReport, limits: Thresholds) -> Iterator[Suspicion]:
    del limits  # a key that is public is public
    text = f"The key was found in public, in a place of the kind {report.source!r}."
    yield Suspicion(report.public_id, text, {}, report.key_id, report.user_id)


RULE = AbuseRule(
    "leaked-key",
    "A code host's secret scanning, or somebody with the operator's token, reports a key that was found in public.",
    "It cannot see a key that leaked where nobody scans.",
    LeakReport,
    (),
    _find,
    action=AbuseAction.SUSPEND,
)
