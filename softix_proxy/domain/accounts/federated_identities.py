"""The identities at OpenID providers by which people sign in, and what a provider says about a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """A person at a provider. Issuer and subject together never name somebody else (OpenID Connect Core, 5.7)."""

    issuer: str
    subject: str = field(repr=False)
    account_id: int
    created_at_us: int
    used_at_us: int | None = None


class FederatedIdentityStore(Protocol):
    """Stores who is who at OpenID providers."""

    async def add(self, identity: FederatedIdentity) -> None:
        """Adds an identity. Raises ConflictError if it belongs to an account already."""
        ...

    async def find(self, issuer: str, subject: str) -> FederatedIdentity | None: ...

    async def of_account(self, account_id: int) -> Sequence[FederatedIdentity]: ...

    async def use(self, identity: FederatedIdentity, now_us: int) -> None:
        """Notes that the person signed in by it."""
        ...

    async def remove(self, account_id: int, issuer: str) -> bool:
        """Removes the account's identities of the issuer. Returns whether there was one."""
        ...


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """The claims of an ID token whose signature, issuer, audience, times and nonce are right."""

    issuer: str
    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OidcClient:
    """How softix is known to the provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]


class OpenIdProvider(Protocol):
    """The way to one OpenID provider. Each method raises FailureError, which quotes nothing of what was exchanged."""

    async def authorization_url(
        self, client: OidcClient, *, state: str, nonce: str, code_challenge: str, is_anew: bool = False
    ) -> str:
        """Returns where the browser goes to sign in. `is_anew` asks also those who are signed in at the provider."""
        ...

    async def claims(
        self, client: OidcClient, *, code: str, code_verifier: str, nonce: str, answered_issuer: str | None
    ) -> VerifiedClaims:
        """Exchanges the code, and returns the claims once everything about them was checked.

        `answered_issuer` is the `iss` of the answer (RFC 9207). It must be the issuer that was asked.
        """
        ...
