"""The admin tokens, by which a program acts as an operator. No token is valid for inference, and no API key here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AdminToken:
    """An admin token as it is stored."""

    id: int
    public_id: str
    """The id by which people and the audit name it: `tok_` and letters."""
    label: str
    prefix: str
    """The first letters of the token, which are not enough to use it."""
    digest: bytes = field(repr=False)
    role: str
    """What it may do: one of the roles of operators."""
    created_at_us: int
    expires_at_us: int | None
    revoked_at_us: int | None = None
    used_at_us: int | None = None
    """The day on which it was last used, at its begin. None if it never was."""

    def is_valid(self, now_us: int) -> bool:
        return self.revoked_at_us is None and (self.expires_at_us is None or now_us < self.expires_at_us)


class TokenStore(Protocol):
    """Stores admin tokens by their digests."""

    async def add(self, token: AdminToken) -> AdminToken:
        """Adds a token. `token.id` is ignored and assigned."""
        ...

    async def find(self, reference: str) -> AdminToken | None:
        """Finds a token by its public id or its prefix. If several have the prefix, it finds none."""
        ...

    async def by_digest(self, digest: bytes) -> AdminToken | None: ...

    async def get(self, token_id: int) -> AdminToken: ...

    async def list(self) -> Sequence[AdminToken]:
        """Returns all tokens, the oldest first."""
        ...

    async def revoke(self, token_id: int, at_us: int) -> None: ...

    async def use(self, token_id: int, at_us: int) -> None:
        """Notes when the token was used."""
        ...
