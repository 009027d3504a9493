"""Checks whether the ledger adds up."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok
from softix_proxy.operations.ledger import ledger


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    verdict = await ledger.verify(context.storage)
    if not verdict.violations:
        counts = f"transfers: {verdict.transfers}, usage rows: {verdict.usage_rows}, holds: {verdict.open_holds}"
        yield ok(f"the books agree ({counts})")
    broken: dict[str, list[str]] = {}
    for violation in verdict.violations:
        broken.setdefault(violation.rule, []).append(f"{violation.subject}, {violation.detail}")
    for rule, cases in broken.items():
        more = f" (and {len(cases) - 1} more)" if len(cases) > 1 else ""
        yield error(
            f"not so: {rule}: {cases[0]}{more}", "stop softix serve, keep a copy, see all: softix ledger verify"
        )
