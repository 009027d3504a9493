"""Lists what users keep at providers, and lets them name things there that are nobody's."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.objects import (
    KINDS,
    MOST_ID_LETTERS,
    NO_KEY,
    ObjectShare,
    OwnedObject,
    is_storable,
)
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import providers


async def list_all(
    storage: Storage, *, user: str | None = None, kind: str | None = None, limit: int
) -> Sequence[OwnedObject]:
    """Returns what is kept at providers, the newest first. Raises NotFoundError, BadInputError."""
    unit = storage.reading()
    owner = None if user is None else await users.find(unit, user)
    if kind is not None:
        _check_kind(kind)
    return await unit.objects.list(None if owner is None else owner.id, kind, limit)


async def shares(storage: Storage) -> Sequence[ObjectShare]:
    return await storage.reading().objects.shares()


async def share(
    storage: Storage, *, kind: str, name: str, provider: str, key: str | None = None, user: str | None = None
) -> ObjectShare:
    """Lets a user, or everybody, name a thing at a provider. `key` is the label of the provider's key.

    Raises NotFoundError, BadInputError.
    """
    _check_kind(kind)
    if not is_storable(name):
        raise BadInputError(
            f"an id has 1 to {MOST_ID_LETTERS} visible ASCII letters", "copy it from the provider's console"
        )
    async with storage.writing() as unit:
        made = await _share(unit, kind, name, provider, key, user)
        await unit.objects.share(made)
    return made


async def unshare(
    storage: Storage, *, kind: str, name: str, provider: str, key: str | None = None, user: str | None = None
) -> ObjectShare:
    """Takes a permission back. Raises NotFoundError, BadInputError."""
    async with storage.writing() as unit:
        wanted = await _share(unit, kind, name, provider, key, user)
        if not await unit.objects.unshare(wanted):
            raise NotFoundError(f"no such {kind} is shared in this way", "see: softix objects list --shared")
    return wanted


async def _share(unit: Unit, kind: str, name: str, provider: str, label: str | None, user: str | None) -> ObjectShare:
    found = await providers.find(unit, provider)
    labels = [key.label for key in found.keys] or [NO_KEY]
    if label is not None and label not in labels:
        raise NotFoundError(f"{found.name} has no key {label!r}", f"see: softix providers show {found.name}")
    whose = None if user is None else await users.find(unit, user)
    return ObjectShare(
        kind=kind,
        remote_id=name,
        provider_id=found.id,
        provider=found.name,
        provider_key=labels[0] if label is None else label,
        user_id=None if whose is None else whose.id,
        user=None if whose is None else whose.name,
        created_at_us=unit.clock.now_us(),
    )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise BadInputError(f"no kind {kind!r}", f"name one of: {', '.join(KINDS)}")
