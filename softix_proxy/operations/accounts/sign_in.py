"""Signs people in. Whether or not an address is known, the answer and the work are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.passwords import PasswordHasher, typed
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import account_tokens, factors, security_events, sessions, throttles, verification
from softix_proxy.operations.notices import facts, outbox


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that opens the pages."""

    account: Account
    session: Session
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """A session that opens the page for the second factor, and nothing else."""

    session: Session
    token: str = field(repr=False)


class _Candidate(NamedTuple):
    """The account that an address names, and the hash that its password is compared with."""

    account: Account | None
    password_hash: str | None


async def password(
    storage: Storage,
    vault: Vault,
    hasher: PasswordHasher,
    *,
    email: str,
    password: str,
    address: str,
    device: str,
    portal: PortalSection,
    replaces: str = "",
) -> SignedIn | SecondFactorNeeded:
    """Signs in by e-mail and password. `replaces` is the token that the browser had, whose session ends.

    Raises AccountRefusedError; RefusedError(RATE_LIMITED) if the attempt has to wait; OverloadedError.
    """
    hasher.require_room()
    by = throttles.subjects(vault, email, address)
    text = typed(password)
    await throttles.require_free_sign_in(storage.reading(), by)
    async with storage.writing() as unit:
        await throttles.take_sign_in(unit, by)
        found = await _candidate(unit, email)
    is_right = await hasher.verify(found.password_hash, text)
    renewed = await _renewed(hasher, found.password_hash, text) if is_right else None
    async with storage.writing() as unit:
        account = await _proved(unit, found) if is_right else None
        if account is None:
            await security_events.record(
                unit,
                "sign_in_failed",
                None if found.account is None else found.account.id,
                address=address,
                device=device,
            )
            refusal: AccountRefusal | None = AccountRefusal.WRONG_PASSWORD
        else:
            await throttles.give_back_sign_in(unit, by)
            if renewed is not None:
                await unit.accounts.set_password_hash(account.id, renewed)
            refusal = await _refusal(unit, vault, account)
        if account is not None and refusal is None:
            return await enter(
                unit,
                vault,
                account,
                method=SignInMethod.PASSWORD,
                address=address,
                device=device,
                portal=portal,
                replaces=replaces,
            )
    raise AccountRefusedError(refusal or AccountRefusal.WRONG_PASSWORD)


async def enter(
    unit: Unit,
    vault: Vault,
    account: Account,
    *,
    method: SignInMethod,
    address: str,
    device: str,
    portal: PortalSection,
    replaces: str = "",
    is_enough: bool = False,
) -> SignedIn | SecondFactorNeeded:
    """Starts a session for a person who proved who it is, in the caller's transaction.

    `is_enough` says that the method needs no second factor, as a passkey does. The session that the browser had ends,
    so that its token is worth nothing any more. Raises AccountRefusedError if the account may not sign in.
    """
    if not account.can_sign_in:
        raise AccountRefusedError(AccountRefusal.NOT_VERIFIED if account.is_active else AccountRefusal.DISABLED)
    if replaces:
        before = await unit.sessions.by_digest(token_digest(replaces), unit.clock.now_us())
        if before is not None:
            await unit.sessions.end(before.id)
    is_pending = not is_enough and await factors.required(unit, account.id)
    started = await sessions.start(
        unit,
        account.id,
        method=method,
        second_factor=is_enough,
        is_pending=is_pending,
        device=device,
        portal=portal,
    )
    if is_pending:
        return SecondFactorNeeded(started.session, started.token)
    await _note(unit, vault, account, started.session, address, device)
    return SignedIn(account, started.session, started.token)


async def complete(
    unit: Unit, vault: Vault, pending: Session, *, address: str, device: str, portal: PortalSection
) -> SignedIn:
    """Opens a session whose second factor was proved, in the caller's transaction, under a new token.

    Raises AccountRefusedError if the account may not sign in any more.
    """
    account = await unit.accounts.get(pending.account_id)
    account_tokens.require_active(account)
    started = await sessions.complete(unit, pending, portal)
    await _note(unit, vault, account, started.session, address, device)
    return SignedIn(account, started.session, started.token)


async def confirm_password(
    storage: Storage,
    vault: Vault,
    hasher: PasswordHasher,
    session: Session,
    *,
    password: str,
    address: str,
    device: str,
) -> sessions.StartedSession:
    """Proves again who it is, by the password, for what moves money or rights. The session gets a new token.

    Raises as `password` does.
    """
    hasher.require_room()
    text = typed(password)
    async with storage.writing() as unit:
        await sessions.require_open(unit, session)
        account = await unit.accounts.get(session.account_id)
        by = throttles.subjects(vault, account.email, address)
        await throttles.take_sign_in(unit, by)
        found = _Candidate(account, await unit.accounts.password_hash(account.id))
    is_right = await hasher.verify(found.password_hash, text)
    async with storage.writing() as unit:
        current = await sessions.require_open(unit, session)
        if is_right and await _proved(unit, found) is not None:
            await throttles.give_back_sign_in(unit, by)
            return await sessions.prove(unit, current)
        await security_events.record(unit, "sign_in_failed", account.id, address=address, device=device)
    raise AccountRefusedError(AccountRefusal.WRONG_PASSWORD)


async def _candidate(unit: Unit, email: str) -> _Candidate:
    account = await unit.accounts.by_email(email) if is_email(email) else None
    return _Candidate(account, await unit.accounts.password_hash(account.id) if account else None)


async def _renewed(hasher: PasswordHasher, password_hash: str | None, text: str) -> str | None:
    """Returns a hash with the parameters of today, if the stored one has others."""
    return await hasher.hash(text) if password_hash is not None and hasher.is_outdated(password_hash) else None


async def _proved(unit: Unit, found: _Candidate) -> Account | None:
    """Returns the account as it is now. None if its password was changed while it was compared."""
    if found.account is None or await unit.accounts.password_hash(found.account.id) != found.password_hash:
        return None
    return await unit.accounts.get(found.account.id)


async def _refusal(unit: Unit, vault: Vault, account: Account) -> AccountRefusal | None:
    """Returns why somebody who knows the password cannot sign in. A stranger is never told."""
    if not account.is_active:
        return AccountRefusal.DISABLED
    if account.verified_at_us is None:
        await verification.send(unit, vault, account)
        return AccountRefusal.NOT_VERIFIED
    return None


async def _note(unit: Unit, vault: Vault, account: Account, session: Session, address: str, device: str) -> None:
    """Records the sign-in, and tells the person if it is from a kind of device that was never used before."""
    events = unit.security_events
    is_new = await events.has_seen(account.id) and not await events.has_seen(account.id, device)
    await security_events.record(
        unit, "signed_in", account.id, address=address, device=device, subject=session.public_id
    )
    if is_new:
        values = {"when": facts.when(session.seen_at_us), "device": device, "address": address}
        await outbox.enqueue(unit, vault, Notice(NoticeKind.NEW_SIGN_IN, account.email, values, account_id=account.id))
