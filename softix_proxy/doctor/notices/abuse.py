"""Checks whether alerts of abuse are open, and whether reports of leaked keys can be checked."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Yields the open alerts by rule, or that there are none."""
    counts = await context.storage.reading().abuse.open_counts()
    if not counts:
        yield ok("no alert of abuse is open")
        return
    total = sum(counts.values())
    by_rule = ", ".join(f"{rule} {count}" for rule, count in counts.items())
    yield warning(
        f"{total} alert{'s' if total > 1 else ''} of abuse {'are' if total > 1 else 'is'} open: {by_rule}",
        "see them: softix abuse list --open; take note: softix abuse ack ALERT",
    )
