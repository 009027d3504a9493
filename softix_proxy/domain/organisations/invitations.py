"""The invitations to join an organisation. The token in the mailed link is a row of `account_tokens`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from softix_proxy.domain.access.roles import OrganisationRole


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation of one person to one organisation."""

    id: int
    public_id: str
    """The id by which the list of invitations names it: `inv_` and letters. It opens nothing."""
    user_id: int
    """The number of the organisation."""
    email: str = field(repr=False)
    """The address that it was sent to, and for which alone it is good."""
    role: OrganisationRole
    invited_by: int | None
    """The account of the member who invited. None if an operator did."""
    created_at_us: int
    expires_at_us: int
    accepted_at_us: int | None = None
    revoked_at_us: int | None = None

    def is_open(self, now_us: int) -> bool:
        return self.accepted_at_us is None and self.revoked_at_us is None and now_us < self.expires_at_us


class InvitationStore(Protocol):
    """Stores invitations, those that are over too."""

    async def add(self, invitation: Invitation) -> Invitation:
        """Adds an invitation. `invitation.id` is ignored and assigned."""
        ...

    async def get(self, invitation_id: int) -> Invitation | None: ...

    async def find(self, user_id: int, public_id: str) -> Invitation | None: ...

    async def open(self, user_id: int, now_us: int) -> Sequence[Invitation]:
        """Returns the organisation's invitations that can still be accepted, the oldest first."""
        ...

    async def update(self, invitation: Invitation) -> None:
        """Writes when it was accepted or revoked."""
        ...
