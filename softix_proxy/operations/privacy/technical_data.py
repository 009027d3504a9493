"""The operations on technical data: it is listed, and removed before its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.privacy.technical_data import UNKNOWN, CallOrigin, KeyAddress, KeyAgent, TechnicalDataFilter
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import operators
from softix_proxy.operations.privacy.technical_expiry import in_short_transactions

FURTHER_WORD = "further"
"""What people are shown for all that is beyond the bound of a day."""


@dataclass(frozen=True, slots=True)
class AddressLine:
    """An address of a key and a day, with the names of the key and of its user."""

    row: KeyAddress
    key: str
    user: str


@dataclass(frozen=True, slots=True)
class AgentLine:
    """A program of a key and a day, with the names of the key and of its user."""

    row: KeyAgent
    key: str
    user: str


async def addresses(
    storage: Storage, *, key: str | None = None, user: str | None = None, since_us: int = 0, limit: int
) -> Sequence[AddressLine]:
    """Returns the addresses of a key, of a user, or of all, the last used first. Raises NotFoundError."""
    unit = storage.reading()
    names = _Names(unit)
    rows = await unit.technical_data.addresses(await _wanted(unit, key, user, since_us), limit)
    return [AddressLine(row, *await names.of(row.key_id)) for row in rows]


async def agents(
    storage: Storage, *, key: str | None = None, user: str | None = None, since_us: int = 0, limit: int
) -> Sequence[AgentLine]:
    """Returns the programs of a key, of a user, or of all, the last used first. Raises NotFoundError."""
    unit = storage.reading()
    names = _Names(unit)
    rows = await unit.technical_data.agents(await _wanted(unit, key, user, since_us), limit)
    return [AgentLine(row, *await names.of(row.key_id)) for row in rows]


async def _wanted(unit: Unit, key: str | None, user: str | None, since_us: int) -> TechnicalDataFilter:
    return TechnicalDataFilter(
        key_id=None if key is None else (await keys.find(unit, key)).id,
        user_id=None if user is None else (await users.find(unit, user)).id,
        since_us=since_us,
    )


class _Names:
    """Finds the public ids of keys and of their users, each once."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[int, tuple[str, str]] = {}

    async def of(self, key_id: int) -> tuple[str, str]:
        if key_id not in self._known:
            key = await self._unit.keys.get(key_id)
            user = await self._unit.users.get(key.user_id)
            self._known[key_id] = key.public_id, user.public_id
        return self._known[key_id]


async def origin_of(storage: Storage, entry_id: int) -> CallOrigin | None:
    """Returns from where an entry of the audit came, or None if it is not kept any more."""
    return await storage.reading().technical_data.origin_of(entry_id)


@dataclass(frozen=True, slots=True)
class TechnicalPurge:
    """What an operator had removed."""

    subject: str
    """The public id of the key, the user or the account. Empty for everybody."""
    removed: int
    """The number of rows."""


async def purge_key(storage: Storage, reference: str) -> TechnicalPurge:
    """Removes where and with what a key was used. Raises NotFoundError."""
    key = await keys.find(storage.reading(), reference)
    return await _noted(storage, key.public_id, await erase_key(storage, key.id))


async def purge_user(storage: Storage, reference: str) -> TechnicalPurge:
    """Removes where and with what all keys of a user were used. Raises NotFoundError."""
    unit = storage.reading()
    user = await users.find(unit, reference)
    removed = [await erase_key(storage, key.id) for key in await unit.keys.list(user.id)]
    return await _noted(storage, user.public_id, sum(removed))


async def purge_account(storage: Storage, reference: str) -> TechnicalPurge:
    """Removes from where an account signed in and acted. What it did stays. Raises NotFoundError."""
    account = await operators.find(storage.reading(), reference)
    return await _noted(storage, account.public_id, await erase_account(storage, account.id, account.public_id))


async def purge_all(storage: Storage) -> TechnicalPurge:
    """Removes all technical data of everybody."""
    return await _noted(
        storage, "", await in_short_transactions(storage, lambda unit, most: unit.technical_data.purge_all(most))
    )


async def _noted(storage: Storage, subject: str, removed: int) -> TechnicalPurge:
    async with storage.writing() as unit:
        await unit.technical_data.note_purge(subject, removed)
    return TechnicalPurge(subject, removed)


async def erase_key(storage: Storage, key_id: int) -> int:
    """Removes the technical data of a key, in short transactions. Whoever deletes a key calls this."""
    return await in_short_transactions(storage, lambda unit, most: unit.technical_data.purge_key(key_id, most))


async def erase_account(storage: Storage, account_id: int, public_id: str) -> int:
    """Removes the technical data of an account, in short transactions. Whoever erases an account calls this."""
    return await in_short_transactions(
        storage, lambda unit, most: unit.technical_data.purge_account(account_id, public_id, most)
    )


def address_fields(line: AddressLine) -> dict[str, str | int | None]:
    """Returns the fields that an operator is shown."""
    row = line.row
    return {
        "key": line.key,
        "user": line.user,
        "day": date_of(row.day).isoformat(),
        "address": row.address or FURTHER_WORD,
        "first_at": format_instant(row.first_us),
        "last_at": format_instant(row.last_us),
        "requests": row.requests,
    }


def agent_fields(line: AgentLine) -> dict[str, str | int | None]:
    """Returns the fields that an operator is shown."""
    row = line.row
    return {
        "key": line.key,
        "user": line.user,
        "day": date_of(row.day).isoformat(),
        "family": row.family or FURTHER_WORD,
        "version": row.version,
        "device": row.device,
        "tls": row.tls,
        "first_at": format_instant(row.first_us),
        "last_at": format_instant(row.last_us),
        "requests": row.requests,
    }


def origin_fields(origin: CallOrigin | None) -> dict[str, str | None]:
    """Returns the fields that an operator is shown, each null if it is not known or not kept any more."""
    family, version, device = origin.agent if origin is not None else UNKNOWN
    return {
        "address": (origin.address or None) if origin is not None else None,
        "family": family or None,
        "program_version": version or None,
        "device": device or None,
        "tls": (origin.tls or None) if origin is not None else None,
    }
