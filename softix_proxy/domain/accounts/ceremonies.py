"""The ceremonies that are under way: what softix must know again when a browser comes back, such as a challenge.

A ceremony lasts some minutes and ends once. Its content is sealed, and the browser has only a random reference to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class CeremonyKind(StrEnum):
    TOTP_ENROLMENT = "totp_enrolment"
    """It has the secret of an authenticator app, until a code of it is confirmed."""
    PASSKEY_ENROLMENT = "passkey_enrolment"
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_SECOND_FACTOR = "passkey_second_factor"
    OIDC_SIGN_IN = "oidc_sign_in"
    OIDC_LINK = "oidc_link"
    """It ends in a link of an OpenID provider's identity with the account that began it."""
    OIDC_CONFIRMATION = "oidc_confirmation"
    """It ends in a new proof of who it is, for the session that began it, and links nothing."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    kind: CeremonyKind
    reference: bytes = field(repr=False)
    """The digest of what the browser brings back."""
    browser: bytes = field(repr=False)
    """The digest of the cookie of the browser that began it. Another browser cannot end it."""
    account_id: int | None
    sealed: bytes = field(repr=False)
    created_at_us: int
    expires_at_us: int


class CeremonyStore(Protocol):
    """Stores ceremonies. Whoever ends one is the only one who does."""

    async def add(self, ceremony: Ceremony) -> None:
        """Adds a ceremony. One of the same kind and reference ends."""
        ...

    async def find(self, kind: CeremonyKind, reference: bytes, browser: bytes, now_us: int) -> Ceremony | None:
        """Returns the ceremony if it can still end."""
        ...

    async def consume(self, kind: CeremonyKind, reference: bytes, browser: bytes, now_us: int) -> Ceremony | None:
        """Returns the ceremony and ends it, in one statement.

        None if it ended, has expired, is unknown, or belongs to another browser.
        """
        ...

    async def end_all(self, account_id: int) -> None: ...

    async def purge(self, now_us: int) -> int:
        """Removes the ceremonies that have expired. Returns their number."""
        ...
