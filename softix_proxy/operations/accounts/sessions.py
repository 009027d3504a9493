"""The operations on sessions. A browser has a random token, and each proof of who it is gives it a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.secret_tokens import new_token, token_digest
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.accounts import security_events

SEEN_EVERY_US = 60 * SECOND_US
"""How often the use of a session is written. A page an instant later writes nothing."""
PENDING_US = 10 * 60 * SECOND_US
"""For how long a session waits for its second factor."""
MOST_SESSIONS = 50
"""How many sessions an account has at once. One more ends the one that was used longest ago."""
_HOUR_US = 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class StartedSession:
    session: Session
    token: str = field(repr=False)
    """What the browser gets. It is shown once, and only its digest is kept."""


async def start(
    unit: Unit,
    account_id: int,
    *,
    method: SignInMethod,
    second_factor: bool,
    is_pending: bool,
    device: str,
    portal: PortalSection,
) -> StartedSession:
    """Starts a session, which ends the ones above the limit.

    A pending one waits for the second factor, and opens nothing else.
    """
    token, now_us = new_token(), unit.clock.now_us()
    made = Session(
        id=0,
        public_id=new_public_id("ses"),
        account_id=account_id,
        digest=token_digest(token),
        method=method,
        second_factor=second_factor,
        is_pending=is_pending,
        device=device,
        created_at_us=now_us,
        seen_at_us=now_us,
        reauthenticated_at_us=now_us,
        idle_ends_at_us=now_us + (PENDING_US if is_pending else _idle_us(portal)),
        ends_at_us=now_us + (PENDING_US if is_pending else _longest_us(portal)),
    )
    live = await unit.sessions.list(account_id, now_us)
    alike = [session for session in live if session.is_pending is is_pending]  # a password alone ends no open one
    for oldest in alike[MOST_SESSIONS - 1 :]:
        await unit.sessions.end(oldest.id)
    return StartedSession(await unit.sessions.add(made), token)


async def find(storage: Storage, token: str, portal: PortalSection, now_us: int) -> Session | None:
    """Returns the session of a browser's token, if it has not ended. Notes its use, at most once a minute."""
    digest = token_digest(token)
    found = await storage.reading().sessions.by_digest(digest, now_us)
    if found is None or found.is_pending or now_us - found.seen_at_us < SEEN_EVERY_US:
        return found
    async with storage.writing() as unit:
        current = await unit.sessions.by_digest(digest, now_us)  # it may have ended meanwhile
        if current is None:
            return None
        seen = replace(current, seen_at_us=now_us, idle_ends_at_us=now_us + _idle_us(portal))
        await unit.sessions.update(seen)
        return seen


async def require_open(unit: Unit, session: Session) -> Session:
    """Returns the session as it is now. Raises AccountRefusedError if it ended since the page was asked for."""
    current = await unit.sessions.by_digest(session.digest, unit.clock.now_us())
    if current is None or current.is_pending:
        raise AccountRefusedError(AccountRefusal.SESSION_ENDED)
    return current


async def complete(unit: Unit, pending: Session, portal: PortalSection) -> StartedSession:
    """Gives a session that waited for its second factor a new token, with which it opens everything."""
    token, now_us = new_token(), unit.clock.now_us()
    full = replace(
        pending,
        digest=token_digest(token),
        second_factor=True,
        is_pending=False,
        seen_at_us=now_us,
        reauthenticated_at_us=now_us,
        idle_ends_at_us=now_us + _idle_us(portal),
        ends_at_us=now_us + _longest_us(portal),
    )
    await unit.sessions.update(full)
    return StartedSession(full, token)


async def prove(unit: Unit, session: Session, *, second_factor: bool = False) -> StartedSession:
    """Notes that the person proved just now who it is, and gives the session a new token. Its end stays."""
    token = new_token()
    proved = replace(
        session,
        digest=token_digest(token),
        second_factor=session.second_factor or second_factor,
        reauthenticated_at_us=unit.clock.now_us(),
    )
    await unit.sessions.update(proved)
    return StartedSession(proved, token)


async def list_all(storage: Storage, account_id: int) -> Sequence[Session]:
    """Returns the sessions of an account that are open, the latest seen first."""
    unit = storage.reading()
    live = await unit.sessions.list(account_id, unit.clock.now_us())
    return [session for session in live if not session.is_pending]


async def revoke(storage: Storage, account_id: int, public_id: str, *, address: str, device: str) -> None:
    """Ends one session of the account. Raises NotFoundError for another account's, as for one that is not there."""
    async with storage.writing() as unit:
        for session in await unit.sessions.list(account_id, unit.clock.now_us()):
            if session.public_id == public_id:
                await unit.sessions.end(session.id)
                await security_events.record(
                    unit, "session_ended", account_id, address=address, device=device, subject=public_id
                )
                return
    raise NotFoundError("there is no such session", "it may have ended already")


async def revoke_others(storage: Storage, session: Session, *, address: str, device: str) -> int:
    """Ends the account's other sessions. Returns how many."""
    async with storage.writing() as unit:
        ended = await unit.sessions.end_others(session.account_id, but=session.id)
        if ended:
            await security_events.record(unit, "session_ended", session.account_id, address=address, device=device)
        return ended


async def sign_out(storage: Storage, token: str, *, address: str, device: str) -> None:
    """Ends the session of a browser's token. One that has ended already is no error."""
    async with storage.writing() as unit:
        session = await unit.sessions.by_digest(token_digest(token), unit.clock.now_us())
        if session is not None:
            await unit.sessions.end(session.id)
            await security_events.record(
                unit, "signed_out", session.account_id, address=address, device=device, subject=session.public_id
            )


def _idle_us(portal: PortalSection) -> int:
    return int(portal.session_idle_h * _HOUR_US)


def _longest_us(portal: PortalSection) -> int:
    return int(portal.session_h * _HOUR_US)
