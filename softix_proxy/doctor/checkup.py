"""Runs all checks side by side. An error in one does not stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from softix_proxy.doctor import (
    batches,
    bounds,
    certificate,
    clock,
    configuration,
    daemon,
    database,
    disk_space,
    file_modes,
    identities,
    ledger,
    mail,
    master_key,
    migrations,
    names,
    open_requests,
    payments,
    portal,
    prices,
    providers,
)
from softix_proxy.doctor.access import key_guesses
from softix_proxy.doctor.check_context import CheckContext, DoctorCheck
from softix_proxy.doctor.findings import Finding, Observation, Severity, error, warning
from softix_proxy.doctor.instance import backups
from softix_proxy.doctor.notices import abuse, webhooks
from softix_proxy.domain.core.errors import OperatorError, UnusableError

CHECKS: Mapping[str, DoctorCheck] = {
    "configuration": configuration.find,
    "database": database.find,
    "daemon": daemon.find,
    "migrations": migrations.find,
    "ledger": ledger.find,
    "open-requests": open_requests.find,
    "batches": batches.find,
    "bounds": bounds.find,
    "master-key": master_key.find,
    "file-modes": file_modes.find,
    "disk-space": disk_space.find,
    "backup": backups.find,
    "clock": clock.find,
    "certificate": certificate.find,
    "portal": portal.find,
    "mail": mail.find,
    "webhooks": webhooks.find,
    "abuse": abuse.find,
    "payments": payments.find,
    "identities": identities.find,
    "key-guesses": key_guesses.find,
    "prices": prices.find,
    "names": names.find,
    "providers": providers.find,
}
_NOT_THERE = "SQLITE_ERROR"
"""The code by which SQLite names a missing table or column."""


async def run(context: CheckContext, only: Collection[str] = ()) -> Sequence[Finding]:
    """Runs the checks in the order of CHECKS. `only` names those to run, and if it is empty, all run."""
    names = [name for name in CHECKS if not only or name in only]
    found = await asyncio.gather(*(_guarded(CHECKS[name], context) for name in names))
    return [Finding(name, *item) for name, items in zip(names, found, strict=True) for item in items]


def is_well(findings: Sequence[Finding]) -> bool:
    """Returns whether there is no error. Warnings are tolerated."""
    return all(finding.severity is not Severity.ERROR for finding in findings)


async def _guarded(find: DoctorCheck, context: CheckContext) -> list[Observation]:
    found: list[Observation] = []
    try:
        async for item in find(context):
            found.append(item)  # noqa: PERF401 - findings before an error are kept
    except OperatorError as failure:
        found.append(await _of_another_schema(failure, context) or error(failure.message, failure.remedy))
    except Exception as failure:  # noqa: BLE001 - damage can raise anything, and must not hide the other findings
        found.append(
            error(f"this could not be checked: {type(failure).__name__}", "mend what the other checks say first")
        )
    return found


async def _of_another_schema(failure: OperatorError, context: CheckContext) -> Observation | None:
    """Returns the observation for a check that looked for a table or a column that only another schema has."""
    if not isinstance(failure, UnusableError) or failure.code != _NOT_THERE:
        return None
    try:
        present, known = await asyncio.to_thread(context.health.schema)
    except OperatorError:
        return None
    if present == known:
        return None
    return warning("not checked: the database is of another schema", "do first what the check of the migrations says")
