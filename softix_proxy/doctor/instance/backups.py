"""Checks how old the last backup is."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, format_instant
from softix_proxy.operations.instance import backups

_OLD_US = 7 * DAY_US
_LATE = 2
"""A scheduled backup is late after so many times its pause."""


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    section = context.settings.backup
    known, now_us = await backups.last(context.storage.reading()), context.clock.now_us()
    if known is None:
        if section.folder is not None:
            yield warning(
                "no backup was made yet, although backup.folder is set",
                "softix serve makes one soon after its start; or make one now: softix backup",
            )
        else:
            yield ok("no backup is known; make one with softix backup, and try it with softix drill")
        return
    age_us = max(now_us - known.at_us, 0)
    told = f"the last backup is of {format_instant(known.at_us)} ({_age(age_us)} ago): {known.path}"
    limit_us = _OLD_US if section.folder is None else int(_LATE * section.every_h * 3600) * SECOND_US
    if age_us > limit_us:
        remedy = "see the log of softix serve, and make one now: softix backup"
        yield warning(told, remedy if section.folder else "make one: softix backup DIR; or set backup.folder")
    else:
        yield ok(told)


def _age(age_us: int) -> str:
    hours = age_us // (3600 * SECOND_US)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h" if hours else f"{age_us // (60 * SECOND_US)} min"
