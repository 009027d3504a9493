"""The tokens in links that are mailed. The database has their digests, and a token works once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class TokenPurpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 # this is the name of a purpose
    CHANGE_EMAIL = "change_email"
    FIRST_SIGN_IN = "first_sign_in"
    """The link that an operator makes. The person sets the first password by it, or a new one."""
    INVITATION = "invitation"
    """The link by which a person joins an organisation, or may register where registration is by invitation."""


@dataclass(frozen=True, slots=True)
class AccountToken:
    """A token for one purpose and one address. It is worth nothing for another address."""

    digest: bytes = field(repr=False)
    purpose: TokenPurpose
    account_id: int | None
    """The account. None for an invitation of somebody who has none yet."""
    email: str = field(repr=False)
    """The address that it was sent to."""
    created_at_us: int
    expires_at_us: int
    invitation_id: int | None = None


class AccountTokenStore(Protocol):
    """Stores the digests of tokens. A token that was used or replaced is gone."""

    async def add(self, token: AccountToken) -> None:
        """Adds a token. The older ones of the same account and purpose end."""
        ...

    async def find(self, digest: bytes, purpose: TokenPurpose, now_us: int) -> AccountToken | None:
        """Returns the token if it can still be used."""
        ...

    async def consume(self, digest: bytes, purpose: TokenPurpose, now_us: int) -> AccountToken | None:
        """Returns the token and ends it, in one statement. None if it was used, has expired or is unknown."""
        ...

    async def end_all(self, account_id: int) -> None:
        """Ends every token of the account, for example because its address changed."""
        ...

    async def end_invitation(self, invitation_id: int) -> None:
        """Ends the token of an invitation that was withdrawn."""
        ...

    async def purge(self, now_us: int, most: int) -> int:
        """Removes tokens that have expired, at most so many. Returns their number."""
        ...
