"""The rows of invitations. Their tokens are rows of `account_tokens`."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.organisations.invitations import Invitation
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_INVITATION = RecordMapping(
    Invitation,
    "id",
    "public_id",
    "user_id",
    "email",
    "invited_by",
    "created_at_us",
    "expires_at_us",
    "accepted_at_us",
    "revoked_at_us",
    role=converted(OrganisationRole),
)
_SELECT = f"SELECT {_INVITATION.select()} FROM invitations"
_OPEN = "accepted_at_us IS NULL AND revoked_at_us IS NULL AND expires_at_us > ?"


class SqliteInvitationStore:
    """Stores invitations."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, invitation: Invitation) -> Invitation:
        columns = _INVITATION.row(invitation)
        del columns["id"]
        added = await self.get(await self._session.insert("invitations", columns))
        if added is None:
            raise NotFoundError("the invitation is gone already")
        return added

    async def get(self, invitation_id: int) -> Invitation | None:
        row = await self._session.one(f"{_SELECT} WHERE id = ?", invitation_id)
        return _INVITATION.read(row) if row else None

    async def find(self, user_id: int, public_id: str) -> Invitation | None:
        row = await self._session.one(f"{_SELECT} WHERE user_id = ? AND public_id = ?", user_id, public_id)
        return _INVITATION.read(row) if row else None

    async def open(self, user_id: int, now_us: int) -> Sequence[Invitation]:
        rows = await self._session.all(f"{_SELECT} WHERE user_id = ? AND {_OPEN} ORDER BY id", user_id, now_us)
        return _INVITATION.read_all(rows)

    async def update(self, invitation: Invitation) -> None:
        await self._session.update(
            "invitations", _INVITATION.row(invitation, "accepted_at_us", "revoked_at_us"), "id = ?", invitation.id
        )
