"""The operations on passwords: choose one, change it, and set a new one by a mailed link."""

from __future__ import annotations

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.passwords import (
    CONTEXT_WORDS,
    LEAST_SCORE,
    PasswordHasher,
    normalized,
    personal_words,
    require_usable,
    typed,
)
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import security_events, sessions, throttles
from softix_proxy.operations.notices import facts, outbox


async def hashed(hasher: PasswordHasher, password: str, *personal: str) -> str:
    """Returns the hash of a new password. `personal` are the texts that everybody knows of the person.

    Raises AccountRefusedError if it is no good password, and OverloadedError.
    """
    text, words = normalized(password), personal_words(*personal, *CONTEXT_WORDS)
    require_usable(text, words)
    if await hasher.score(text, words) < LEAST_SCORE:
        raise AccountRefusedError(AccountRefusal.PASSWORD_GUESSABLE)
    return await hasher.hash(text)


async def change(
    storage: Storage,
    vault: Vault,
    hasher: PasswordHasher,
    session: Session,
    *,
    current: str,
    new: str,
    address: str,
    device: str,
) -> sessions.StartedSession:
    """Changes the password of a person who signed in, or sets the first one. The session gets a new token.

    The other sessions and all links that were mailed end in the same transaction. Raises AccountRefusedError,
    RefusedError(RATE_LIMITED), OverloadedError.
    """
    hasher.require_room()
    async with storage.writing() as unit:
        await sessions.require_open(unit, session)
        account = await unit.accounts.get(session.account_id)
        by = throttles.subjects(vault, account.email, address)
        await throttles.take_sign_in(unit, by)
        stored = await unit.accounts.password_hash(account.id)
    if stored is not None and not await hasher.verify(stored, typed(current)):
        async with storage.writing() as unit:
            await security_events.record(unit, "sign_in_failed", account.id, address=address, device=device)
        raise AccountRefusedError(AccountRefusal.WRONG_PASSWORD)
    new_hash = await hashed(hasher, new, account.email, account.display_name)
    async with storage.writing() as unit:
        open_session = await sessions.require_open(unit, session)
        if await unit.accounts.password_hash(account.id) != stored:
            raise AccountRefusedError(AccountRefusal.SESSION_ENDED)
        await throttles.give_back_sign_in(unit, by)
        await replace_hash(unit, account.id, new_hash, but=open_session.id)
        await told(unit, vault, account, device)
        await security_events.record(unit, "password_changed", account.id, address=address, device=device)
        return await sessions.prove(unit, open_session)


async def replace_hash(unit: Unit, account_id: int, password_hash: str | None, *, but: int | None = None) -> None:
    """Sets the hash, and ends what the password before it opened: the sessions, but one, and the mailed links."""
    await unit.accounts.set_password_hash(account_id, password_hash)
    await unit.sessions.end_others(account_id, but=but)
    await unit.account_tokens.end_all(account_id)


async def told(unit: Unit, vault: Vault, account: Account, device: str) -> None:
    """Tells the person that the password was changed."""
    values = {"when": facts.when(unit.clock.now_us()), "device": device}
    await outbox.enqueue(unit, vault, Notice(NoticeKind.PASSWORD_CHANGED, account.email, values, account_id=account.id))
