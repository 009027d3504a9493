"""The sessions of people who signed in. A browser has a random token, and the database has its digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from softix_proxy.domain.core.clock import SECOND_US

COOKIE = "__Host-softix"
"""The only cookie of the portal (RFC 6265bis, 4.1.3.2: sent to this host alone, and over TLS or to loopback only)."""
RECENT_US = 15 * 60 * SECOND_US
"""How old the proof of who it is may be for what moves money or rights (NIST SP 800-63B-4, 2.3: by the risk of what is
done)."""


class SignInMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 # this is the name of a method
    PASSKEY = "passkey"
    OIDC = "oidc"
    LINK = "link"
    """A link that an operator gave."""


@dataclass(frozen=True, slots=True)
class Session:
    id: int
    public_id: str
    """The id by which the list of sessions names it: `ses_` and letters. It opens nothing."""
    account_id: int
    digest: bytes = field(repr=False)
    method: SignInMethod
    second_factor: bool
    """Whether a second factor was proved in this session, or the method is one that needs none."""
    is_pending: bool
    """Whether the second factor is still asked for. Such a session opens the page for it and nothing else."""
    device: str
    """The browser's family and its system, such as `Firefox on Linux`, and never the whole user agent."""
    created_at_us: int
    seen_at_us: int
    reauthenticated_at_us: int
    """When the person last proved who it is. What moves money or rights needs a recent proof."""
    idle_ends_at_us: int
    ends_at_us: int


def is_recent(session: Session, now_us: int) -> bool:
    """Returns whether the person proved who it is a short while ago."""
    return now_us - session.reauthenticated_at_us <= RECENT_US


class SessionStore(Protocol):
    """Stores sessions by the digests of their tokens."""

    async def add(self, session: Session) -> Session:
        """Adds a session. `session.id` is ignored and assigned."""
        ...

    async def by_digest(self, digest: bytes, now_us: int) -> Session | None:
        """Returns the session if it has not ended."""
        ...

    async def list(self, account_id: int, now_us: int) -> Sequence[Session]:
        """Returns the sessions that have not ended, the latest seen first."""
        ...

    async def update(self, session: Session) -> None:
        """Writes what changes: digest, times, second factor."""
        ...

    async def end(self, session_id: int) -> None: ...

    async def end_others(self, account_id: int, *, but: int | None = None) -> int:
        """Ends the sessions of the account, but one. Returns how many ended."""
        ...

    async def purge(self, now_us: int, most: int) -> int:
        """Removes sessions that have ended, at most so many. Returns their number."""
        ...
