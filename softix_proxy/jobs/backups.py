"""Makes backups by a schedule, and watches the age of the last one, whoever made it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from softix_proxy.domain.core.errors import ConflictError, OperatorError
from softix_proxy.domain.instance.backups import BackupTally, MadeBackup
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.instance import backups

log = logging.getLogger("softix.jobs")
_LOOK_EVERY_S = 30.0


async def look(storage: Storage, make: Callable[[], MadeBackup] | None, every_h: float, tally: BackupTally) -> None:
    """Makes a backup if one is due, and notes the age of the last one. It logs what fails."""
    try:
        known = await backups.last(storage.reading())
        tally.last_at_us = known.at_us if known else None
        if make is None or not backups.is_due(known, storage.reading().clock.now_us(), every_h):
            return
        made = await asyncio.to_thread(make)
        await backups.record(storage, made)
    except ConflictError:
        return  # another process makes one
    except OperatorError as error:
        tally.failures += 1
        log.error("could not make a backup: %s; %s", error.message, error.remedy)
        return
    tally.made += 1
    tally.last_at_us = made.at_us
    log.info("made a backup", extra={"count": made.size_bytes, "seconds": made.took_ms / 1000})


async def watch(
    storage: Storage,
    make: Callable[[], MadeBackup] | None,
    every_h: float,
    tally: BackupTally,
    look_every_s: float = _LOOK_EVERY_S,
) -> None:
    """Looks at the start, and again and again until it is cancelled. Without `make`, it makes no backups."""
    while True:
        await look(storage, make, every_h, tally)
        await asyncio.sleep(look_every_s)
