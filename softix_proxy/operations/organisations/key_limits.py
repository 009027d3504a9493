"""The caps of an organisation's keys, as far as one of its members may see and change them."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.access import caps, limit_changes
from softix_proxy.operations.access.caps import AskedLimits, CapStanding
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope


async def of_key(scope: OrganisationScope, public_id: str) -> Sequence[CapStanding]:
    """Returns the caps of a key. Raises NotFoundError."""
    async with scope.storage.snapshot() as unit:
        return await caps.of_key(unit, await scope.key(unit, public_id))


async def of_organisation(scope: OrganisationScope) -> Sequence[CapStanding]:
    """Returns the caps of all keys together. An operator sets them, and no member can change them."""
    async with scope.storage.snapshot() as unit:
        return await caps.of_user(unit, scope.organisation.id)


async def change(scope: OrganisationScope, public_id: str, asked: AskedLimits) -> Key:
    """Changes the caps of a key. Raises NotFoundError, BadInputError, ConflictError."""
    key = await scope.changeable_key(scope.storage.reading(), public_id)
    if key.status is KeyStatus.REVOKED:
        raise ConflictError("a revoked key cannot be changed", "make a new one")
    return await limit_changes.set_of_key(scope.storage, key.public_id, asked)
