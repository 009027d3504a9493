"""The operations on the limits of one key or user: caps, and limits a minute."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.users import User
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.access import caps, keys, users
from softix_proxy.operations.access.caps import AskedLimits, CapStanding


async def set_of_key(storage: Storage, reference: str, asked: AskedLimits) -> Key:
    """Changes the limits of a key, for the very next request. What was spent in the present period before counts.

    A cap in the columns of the key, of a period that is named, becomes one of these. Raises NotFoundError,
    BadInputError, ConflictError.
    """
    async with storage.snapshot() as unit:
        key = await keys.find(unit, reference)
        counts = await caps.counts_of(unit, await caps.changes_of(unit, key.user_id, key, asked))
    async with storage.writing() as unit:
        key = await keys.find(unit, key.public_id)
        return await caps.set_in(unit, key, asked, counts)


async def set_of_user(storage: Storage, reference: str, asked: AskedLimits) -> User:
    """Changes what all keys of a user together may spend. Raises NotFoundError, BadInputError, ConflictError."""
    async with storage.snapshot() as unit:
        user = await users.find(unit, reference)
        counts = await caps.counts_of(unit, await caps.changes_of(unit, user.id, None, asked))
    async with storage.writing() as unit:
        user = await users.find(unit, user.public_id)
        await caps.set_of_user_in(unit, user, asked, counts)
        return user


async def caps_of_key(storage: Storage, key: Key) -> Sequence[CapStanding]:
    """Returns the caps of a key, those of all models first."""
    async with storage.snapshot() as unit:
        return await caps.of_key(unit, key)
