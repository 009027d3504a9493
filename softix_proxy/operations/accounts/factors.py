"""The second factors of an account: what asks for them, how they are proved, and how a person changes them.

What is decided about a proof is decided in the transaction that ends the proof, so that it counts once. A proof that
fails must be counted as well, so nothing raises within that transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from softix_proxy.domain.access.roles import NO_GRANTER, Granter
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.factors import (
    CODE_THROTTLE,
    RECOVERY_THROTTLE,
    FactorKind,
    Factors,
    TotpFactor,
    needs_factor,
)
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.security_events import SecurityEventKind
from softix_proxy.domain.accounts.sessions import Session, is_recent
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, ConflictError, FailureError, RefusedError
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import accounts, ceremonies, recovery_codes, security_events, sessions
from softix_proxy.operations.accounts.sessions import StartedSession
from softix_proxy.operations.core.bound_secret import SealedCount
from softix_proxy.operations.notices import facts, outbox

TOTP_NAME, PASSKEY_NAME, RECOVERY_NAME, OIDC_NAME = "totp", "passkey", "recovery_codes", "oidc"
_ALL = "all"
_FACTOR_WORDS = {
    TOTP_NAME: "authenticator app",
    PASSKEY_NAME: "passkey",
    RECOVERY_NAME: "recovery codes",
    OIDC_NAME: "sign-in at the organisation",
    _ALL: "every second factor",
}
"""What messages call each factor."""
_CHANGE_WORDS = {"factor_added": "added", "factor_removed": "removed", "recovery_code_used": "used"}


class Origin(NamedTuple):
    """Where a request comes from, for the events that a person is shown."""

    address: str
    device: str


class FactorProof(NamedTuple):
    """The result of a code. `kind` is None if it was wrong, or if no code is taken for `wait_us`."""

    kind: FactorKind | None
    wait_us: int = 0


class TotpEnrolment(NamedTuple):
    """What an authenticator app needs. It is shown until a code of the app was confirmed."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor that counts from now on."""

    started: StartedSession
    """The session with a new token. It has proved the new factor."""
    recovery_codes: Sequence[str] = field(repr=False, default=())
    """The recovery codes if they were made now, and nothing if the account has some."""


async def required(unit: Unit, account_id: int) -> bool:
    """Returns whether sign-in by password asks for a second factor."""
    return (await unit.factors.of_account(account_id)).any


async def show(unit: Unit, account_id: int) -> Factors:
    return await unit.factors.of_account(account_id)


async def verify(unit: Unit, vault: Vault, account_id: int, code: str) -> FactorProof:
    """Verifies the code of an authenticator app, or a recovery code. It never counts again.

    The caller must commit the transaction whatever the result is, or wrong codes would not be counted.
    """
    now_us, subject = unit.clock.now_us(), str(account_id)
    recovery_code = recovery_codes.normalised(code)
    if recovery_code is not None:
        if wait_us := await unit.throttles.arrive(RECOVERY_THROTTLE, subject, now_us):
            return FactorProof(None, wait_us)
        digest = recovery_codes.digest(account_id, recovery_code)
        used = await unit.factors.use_recovery_code(account_id, digest)
        return FactorProof(FactorKind.RECOVERY_CODE if used else None)
    if wait_us := await unit.throttles.arrive(CODE_THROTTLE, subject, now_us):
        return FactorProof(None, wait_us)
    totp = (await unit.factors.of_account(account_id)).totp
    if totp is None:
        return FactorProof(None)
    secret = vault.open_secret(totp.sealed_secret, *_place(account_id))
    step = vault.totp_step(secret, code, now_us)
    if step is None or not await unit.factors.use_totp_step(account_id, step, now_us):
        return FactorProof(None)
    await unit.throttles.forget(CODE_THROTTLE, subject)
    return FactorProof(FactorKind.TOTP)


def refusal(proof: FactorProof) -> AccountRefusedError | RefusedError:
    """Returns why a proof was not accepted."""
    return slow_down(proof.wait_us) if proof.wait_us else AccountRefusedError(AccountRefusal.CODE_WRONG)


def slow_down(wait_us: int) -> RefusedError:
    """Returns the refusal of an attempt that has to wait. It is raised after the transaction that counted it."""
    return RefusedError(Code.RATE_LIMITED, "there were too many codes; wait a while", wait_us / SECOND_US)


async def require_strong_session(unit: Unit, session: Session) -> Factors:
    """Returns the account's factors. Raises AccountRefusedError unless the session may change them.

    Whoever knows only the password of an account with a second factor must not add a factor of their own. And whoever
    finds a browser that is signed in must not either, so the last proof must be recent. The session is read again,
    since it may have ended meanwhile.
    """
    now_us, known = unit.clock.now_us(), await show(unit, session.account_id)
    current = await unit.sessions.by_digest(session.digest, now_us)
    if current is None or current.is_pending or (known.any and not current.second_factor):
        raise AccountRefusedError(AccountRefusal.SESSION_WEAK)
    if not is_recent(current, now_us):
        raise AccountRefusedError(AccountRefusal.PROOF_OLD)
    return known


async def begin_totp(storage: Storage, vault: Vault, session: Session) -> None:
    """Makes the secret of a new authenticator app. It counts for nothing until `confirm_totp`.

    Raises AccountRefusedError unless the session may change factors.
    """
    secret = vault.new_totp_secret()
    async with storage.writing() as unit:
        await require_strong_session(unit, session)
        await ceremonies.begin(
            unit,
            vault,
            CeremonyKind.TOTP_ENROLMENT,
            {"secret": secret},
            reference=session.digest,
            browser=session.digest,
            account_id=session.account_id,
        )


async def pending_totp(
    storage: Storage, vault: Vault, session: Session, *, account: Account, site: str
) -> TotpEnrolment:
    """Returns the secret that waits for its first code. Raises AccountRefusedError if there is none any more."""
    secret = await _pending_secret(storage.reading(), vault, session)
    if secret is None:
        raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED)
    return TotpEnrolment(secret, vault.totp_uri(secret, account=account.email, issuer=site))


async def confirm_totp(
    storage: Storage, vault: Vault, session: Session, account: Account, code: str, origin: Origin
) -> Enrolled:
    """Makes the new authenticator app count. An earlier one ends, and so do the other sessions.

    Raises AccountRefusedError, and RefusedError(RATE_LIMITED).
    """
    async with storage.writing() as unit:
        before, now_us = await require_strong_session(unit, session), unit.clock.now_us()
        wait_us = await unit.throttles.arrive(CODE_THROTTLE, str(account.id), now_us)
        secret = await _pending_secret(unit, vault, session)
        step = None if wait_us or secret is None else vault.totp_step(secret, code, now_us)
        if step is not None and secret is not None:
            await ceremonies.end(
                unit, vault, CeremonyKind.TOTP_ENROLMENT, reference=session.digest, browser=session.digest
            )
            sealed = vault.seal_secret(secret, *_place(account.id))
            await unit.factors.set_totp(
                TotpFactor(account_id=account.id, sealed_secret=sealed, last_step=step, created_at_us=now_us)
            )
            await unit.throttles.forget(CODE_THROTTLE, str(account.id))
            return await enrolled(unit, vault, session, account, before, TOTP_NAME, origin)
    if wait_us:
        raise slow_down(wait_us)
    raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED if secret is None else AccountRefusal.CODE_WRONG)


async def _pending_secret(unit: Unit, vault: Vault, session: Session) -> str | None:
    under_way = await ceremonies.look(
        unit, vault, CeremonyKind.TOTP_ENROLMENT, reference=session.digest, browser=session.digest
    )
    return None if under_way is None else under_way.content["secret"]


async def enrolled(
    unit: Unit,
    vault: Vault,
    session: Session,
    account: Account,
    before: Factors,
    factor: str,
    origin: Origin,
    *,
    subject: str | None = None,
) -> Enrolled:
    """Completes an enrolment in the caller's transaction. The first factor of an account brings its recovery codes."""
    codes: Sequence[str] = ()
    if not before.any and not before.recovery_codes:
        codes = await _set_recovery_codes(unit, account.id)
    await record_change(unit, vault, session, account, "factor_added", factor, origin, subject=subject)
    return Enrolled(await sessions.prove(unit, session, second_factor=True), codes)


async def new_recovery_codes(
    storage: Storage, vault: Vault, session: Session, account: Account, origin: Origin
) -> Sequence[str]:
    """Makes new recovery codes, and ends the old ones. Raises AccountRefusedError."""
    async with storage.writing() as unit:
        if not (await require_strong_session(unit, session)).any:
            raise AccountRefusedError(AccountRefusal.FACTOR_MISSING)
        codes = await _set_recovery_codes(unit, account.id)
        await record_change(unit, vault, session, account, "factor_added", RECOVERY_NAME, origin)
        return codes


async def _set_recovery_codes(unit: Unit, account_id: int) -> Sequence[str]:
    codes = recovery_codes.new_codes()
    digests = recovery_codes.digests(account_id, codes)
    await unit.factors.set_recovery_codes(account_id, digests, unit.clock.now_us())
    return codes


async def remove(
    storage: Storage,
    vault: Vault,
    session: Session,
    account: Account,
    origin: Origin,
    *,
    passkey: str | None = None,
    roles: Sequence[str] = (),
) -> None:
    """Removes the authenticator app, or the passkey of this public id. `roles` are those that need a second factor.

    The recovery codes end with the last factor. Raises AccountRefusedError, and nothing is removed then.
    """
    async with storage.writing() as unit:
        await require_strong_session(unit, session)
        if passkey is None:
            is_removed = await unit.factors.remove_totp(account.id)
        else:
            is_removed = await unit.factors.remove_passkey(account.id, passkey)
        if not is_removed:
            raise AccountRefusedError(AccountRefusal.FACTOR_MISSING)
        if not await required(unit, account.id):
            if needs_factor(account, await unit.memberships.of_account(account.id), roles):
                raise AccountRefusedError(AccountRefusal.FACTOR_NEEDED)
            await unit.factors.remove_all(account.id)
        name = TOTP_NAME if passkey is None else PASSKEY_NAME
        await record_change(unit, vault, session, account, "factor_removed", name, origin, subject=passkey)


async def record_change(
    unit: Unit,
    vault: Vault,
    session: Session,
    account: Account,
    kind: SecurityEventKind,
    factor: str,
    origin: Origin,
    *,
    subject: str | None = None,
) -> None:
    """Records a change of factors, tells the person by mail, and ends the other sessions."""
    await security_events.record(
        unit, kind, account.id, address=origin.address, device=origin.device, subject=subject or factor
    )
    await tell(unit, vault, account, kind, factor, origin)
    await unit.sessions.end_others(account.id, but=session.id)


async def tell(
    unit: Unit, vault: Vault, account: Account, kind: SecurityEventKind, factor: str, origin: Origin
) -> None:
    """Tells the person by mail what happened to a factor."""
    values = {
        "factor": _FACTOR_WORDS[factor],
        "change": _CHANGE_WORDS[kind],
        "when": facts.when(unit.clock.now_us()),
        "device": origin.device,
    }
    notice = Notice(NoticeKind.FACTOR_CHANGED, account.email, values, account_id=account.id)
    await outbox.enqueue(unit, vault, notice)


async def reset(storage: Storage, vault: Vault, reference: str, by: Granter = NO_GRANTER) -> Account:
    """Removes every factor of an account, by an operator, for a person who lost them. All sessions end.

    Raises NotFoundError, ConflictError if the account has none, and NotPermittedError for one who has more permissions
    than the granter.
    """
    async with storage.writing() as unit:
        account, origin = await accounts.find(unit, reference), Origin("", "the operator")
        by.require(account.role)
        if not await required(unit, account.id):
            raise ConflictError("the account has no second factor", "see: softix factors list")
        await unit.factors.remove_all(account.id)
        await unit.ceremonies.end_all(account.id)
        await unit.sessions.end_others(account.id)
        await security_events.record(unit, "factor_removed", account.id, device=origin.device, subject=_ALL)
        await tell(unit, vault, account, "factor_removed", _ALL, origin)
        return account


async def list_all(storage: Storage, reference: str) -> tuple[Account, Factors]:
    """Returns an account and its factors. Raises NotFoundError."""
    unit = storage.reading()
    account = await accounts.find(unit, reference)
    return account, await show(unit, account.id)


async def rewrap(storage: Storage, vault: Vault) -> int:
    """Wraps the secrets of all authenticator apps anew for the current master key. Returns how many.

    Raises FailureError if some do not open. All others are wrapped anew then.
    """
    rewrapped, closed = 0, list[str]()
    for factor in await outstanding(storage.reading(), vault):
        try:
            sealed = vault.rewrap_secret(factor.sealed_secret, *_place(factor.account_id))
        except FailureError:
            closed.append((await storage.reading().accounts.get(factor.account_id)).public_id)
            continue
        async with storage.writing() as unit:
            rewrapped += await unit.factors.reseal_totp(factor.account_id, factor.sealed_secret, sealed)
    if closed:
        raise FailureError(
            f"the authenticator apps of these accounts do not open: {', '.join(closed)}",
            f"run: softix factors reset {closed[0]} --yes",
        )
    return rewrapped


async def count(unit: Unit, vault: Vault) -> SealedCount:
    """Counts the authenticator apps."""
    return SealedCount(len(await unit.factors.list_totp()), len(await outstanding(unit, vault)))


async def outstanding(unit: Unit, vault: Vault) -> Sequence[TotpFactor]:
    """Returns the authenticator apps whose secret another master key sealed."""
    return [one for one in await unit.factors.list_totp() if vault.sealed_by(one.sealed_secret) != vault.master_key_id]


def _place(account_id: int) -> tuple[str, str, str]:
    return "totp_factors", str(account_id), "sealed_secret"
