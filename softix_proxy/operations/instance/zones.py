"""Sets the time zone in whose days sums are kept and caps restart.

The database stores the zone in use, and the setting states the one to use.
"""

from __future__ import annotations

import logging

from softix_proxy.domain.ports.storage import Storage

log = logging.getLogger("softix.operations")


async def apply(storage: Storage, zone: str) -> bool:
    """Rebuilds the sums if the zone differs, and returns whether it did.

    Raises BadInputError if there is no such zone.
    """
    if (await storage.reading().instance.calendar()).name == zone:
        return False
    async with storage.writing() as unit:
        changed = await unit.usage.change_zone(zone)
    if changed:
        log.info("zone_changed", extra={"zone": zone})
    return changed
