"""Runs the checks that a page may wait for: those of a few rows, and none that reads files or asks a provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from softix_proxy.doctor import checkup
from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Finding, Severity
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.settings import Settings

QUICK = ("batches", "bounds", "disk-space")
"""The names of these checks. They look at the storage and the settings alone."""


class _NotExamined:
    """Stands for what quick checks do not look at. A check that does would have an error as its finding."""

    def __getattr__(self, name: str) -> NoReturn:
        raise FailureError("a quick check looks at the storage and the settings alone", "run: softix doctor")


async def run(storage: Storage, settings: Settings) -> Sequence[Finding]:
    """Returns what is wrong. A check that finds nothing wrong is left out."""
    elsewhere: Any = _NotExamined()
    context = CheckContext(
        settings=settings,
        storage=storage,
        health=elsewhere,
        keys=elsewhere,
        clock=storage.reading().clock,
        fetch=None,
        daemon=elsewhere,
        mail=elsewhere,
    )
    return [found for found in await checkup.run(context, QUICK) if found.severity is not Severity.OK]
