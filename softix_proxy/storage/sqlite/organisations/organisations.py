"""The rows of memberships: which account belongs to which organisation, and as what."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_MEMBERSHIP = RecordMapping(Membership, "account_id", "user_id", "created_at_us", role=converted(OrganisationRole))
_SELECT = f"SELECT {_MEMBERSHIP.select()} FROM members"


class SqliteMembershipStore:
    """Stores memberships. It writes no row of users, so no daemon reloads its directory."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, membership: Membership) -> None:
        try:
            await self._session.insert("members", _MEMBERSHIP.row(membership))
        except IntegrityError:
            raise ConflictError(
                "the account is a member of this organisation already", "see: softix accounts list"
            ) from None

    async def find(self, account_id: int, user_id: int) -> Membership | None:
        row = await self._session.one(f"{_SELECT} WHERE account_id = ? AND user_id = ?", account_id, user_id)
        return _MEMBERSHIP.read(row) if row else None

    async def of_account(self, account_id: int) -> Sequence[Membership]:
        rows = await self._session.all(f"{_SELECT} WHERE account_id = ? ORDER BY created_at_us, user_id", account_id)
        return _MEMBERSHIP.read_all(rows)

    async def of_organisation(self, user_id: int) -> Sequence[Membership]:
        rows = await self._session.all(f"{_SELECT} WHERE user_id = ? ORDER BY created_at_us, account_id", user_id)
        return _MEMBERSHIP.read_all(rows)

    async def set_role(self, account_id: int, user_id: int, role: OrganisationRole) -> None:
        await self._session.update("members", {"role": role}, "account_id = ? AND user_id = ?", account_id, user_id)

    async def remove(self, account_id: int, user_id: int) -> None:
        if await self._session.run("DELETE FROM members WHERE account_id = ? AND user_id = ?", account_id, user_id):
            await self._session.run(
                "INSERT OR IGNORE INTO former_members (account_id, user_id) VALUES (?, ?)", account_id, user_id
            )

    async def has_ended(self, account_id: int, user_id: int) -> bool:
        found = "SELECT 1 FROM former_members WHERE account_id = ? AND user_id = ?"
        return await self._session.one(found, account_id, user_id) is not None
