"""All checks, side by side; none is stopped by what another one meets."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from softix_proxy.doctor import (
    batches,
    certificate,
    clock,
    daemon,
    database,
    disk_space,
    file_modes,
    ledger,
    master_key,
    migrations,
    open_requests,
    prices,
    providers,
)
from softix_proxy.doctor.findings import Finding, Found, Severity, error
from softix_proxy.doctor.patient import Check, Patient
from softix_proxy.domain.errors import OperatorError

CHECKS: Mapping[str, Check] = {
    "database": database.find,
    "daemon": daemon.find,
    "migrations": migrations.find,
    "ledger": ledger.find,
    "open-requests": open_requests.find,
    "batches": batches.find,
    "master-key": master_key.find,
    "file-modes": file_modes.find,
    "disk-space": disk_space.find,
    "clock": clock.find,
    "certificate": certificate.find,
    "prices": prices.find,
    "providers": providers.find,
}


async def run(patient: Patient, only: Collection[str] = ()) -> Sequence[Finding]:
    """In the order of CHECKS; `only` names those to run, none means all."""
    names = [name for name in CHECKS if not only or name in only]
    found = await asyncio.gather(*(_guarded(CHECKS[name], patient) for name in names))
    return [Finding(name, *item) for name, items in zip(names, found, strict=True) for item in items]


def is_well(findings: Sequence[Finding]) -> bool:
    """Warnings are borne."""
    return all(finding.severity is not Severity.ERROR for finding in findings)


async def _guarded(find: Check, patient: Patient) -> list[Found]:
    found: list[Found] = []
    try:
        async for item in find(patient):
            found.append(item)  # noqa: PERF401 - what was found before an error is kept
    except OperatorError as failure:
        found.append(error(failure.message, failure.remedy))
    except Exception as failure:  # noqa: BLE001 - damage shows as anything, and must not hide the other findings
        found.append(
            error(f"this could not be checked: {type(failure).__name__}", "mend what the other checks say first")
        )
    return found
