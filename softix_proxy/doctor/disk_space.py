"""Checks whether the ledger has room to grow."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning

_LEAST_BYTES = 1 << 30
_ENOUGH_BYTES = 20 << 30
"""The free space that is enough on a large disk, where a twentieth of the disk would be too much."""


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    folder = context.settings.paths.data_dir
    disk = shutil.disk_usage(folder)
    free = f"{disk.free / (1 << 30):.1f} GiB are free in {folder}"
    if disk.free < max(_LEAST_BYTES, min(disk.total // 20, _ENOUGH_BYTES)):
        yield warning(f"only {free}", "make room: with a full disk every request is refused")
    else:
        yield ok(free)
