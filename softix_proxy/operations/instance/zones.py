"""The zone by whose days sums are kept and caps begin anew: the database has it, the setting says which it shall be."""

from __future__ import annotations

import logging

from softix_proxy.domain.ports.storage import Storage

log = logging.getLogger("softix.operations")


async def apply(storage: Storage, zone: str) -> bool:
    """Sums up anew where it is another one; whether it was. Raises BadInputError where there is no such zone."""
    if (await storage.reading().instance.calendar()).name == zone:
        return False
    async with storage.writing() as unit:
        changed = await unit.usage.change_zone(zone)
    if changed:
        log.info("zone_changed", extra={"zone": zone})
    return changed
