"""The ends of sign-in that are no password: a second factor, a passkey, and an OpenID provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.factors import (
    PASSKEY_PROMPT_THROTTLE,
    PASSKEY_PROOF_THROTTLE,
    FactorKind,
    Factors,
    Passkey,
    needs_factor,
)
from softix_proxy.domain.accounts.federated_identities import FederatedIdentity
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import RelyingParty, Vault
from softix_proxy.operations.accounts import (
    factors,
    federated_identities,
    passkeys,
    security_events,
    sessions,
    sign_in,
    throttles,
)
from softix_proxy.operations.accounts.factors import RECOVERY_NAME, Origin
from softix_proxy.operations.accounts.oidc import OidcAnswer
from softix_proxy.operations.accounts.sessions import StartedSession
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded, SignedIn

_FAILED = "second_factor"


class FactorOverview(NamedTuple):
    """What a person is shown of how the account is protected."""

    factors: Factors
    identities: Sequence[FederatedIdentity]
    is_needed: bool
    """Whether a role of the account needs a second factor."""


class ProofChoices(NamedTuple):
    """By what a person who is signed in can prove again who it is."""

    has_password: bool
    has_passkey: bool
    has_identity: bool
    """Whether an identity at the provider of the settings is linked with the account."""


async def overview(storage: Storage, account: Account, roles: Sequence[str]) -> FactorOverview:
    """Returns what an account has. `roles` are those that need a second factor."""
    unit = storage.reading()
    return FactorOverview(
        factors=await factors.show(unit, account.id),
        identities=await unit.federated_identities.of_account(account.id),
        is_needed=needs_factor(account, await unit.memberships.of_account(account.id), roles),
    )


async def choices(storage: Storage, session: Session) -> Factors:
    """Returns by what a session can prove its second factor."""
    return await factors.show(storage.reading(), session.account_id)


async def proof_choices(storage: Storage, account_id: int, section: OidcSection) -> ProofChoices:
    unit = storage.reading()
    identities = await unit.federated_identities.of_account(account_id) if section.is_enabled else ()
    return ProofChoices(
        has_password=await unit.accounts.password_hash(account_id) is not None,
        has_passkey=bool((await factors.show(unit, account_id)).passkeys),
        has_identity=any(one.issuer == section.issuer for one in identities),
    )


async def prove_code(
    storage: Storage, vault: Vault, session: Session, code: str, origin: Origin, portal: PortalSection
) -> SignedIn:
    """Opens a session that waits for its second factor, by a code of an app or a recovery code.

    Raises AccountRefusedError, and RefusedError(RATE_LIMITED).
    """
    async with storage.writing() as unit:
        pending = await _pending(unit, session)
        proof = await factors.verify(unit, vault, session.account_id, code)
        if proof.kind is not None:
            if proof.kind is FactorKind.RECOVERY_CODE:
                await _note_recovery(unit, vault, session.account_id, origin)
            return await sign_in.complete(
                unit, vault, pending, address=origin.address, device=origin.device, portal=portal
            )
        if not proof.wait_us:  # what had to wait was no attempt, and events of it would hide all others
            await _note_failure(unit, session.account_id, origin)
    raise factors.refusal(proof)


async def prove_passkey(
    storage: Storage,
    vault: Vault,
    party: RelyingParty,
    session: Session,
    origin: Origin,
    portal: PortalSection,
    *,
    reference: str,
    answer: str,
) -> SignedIn:
    """Opens a session that waits for its second factor, by a passkey of its account. Raises as `prove_code` does."""
    async with _counted_proof(storage, session.account_id, origin):
        passkey, count = await passkeys.proved_as_second_factor(
            storage, vault, party, session, reference=reference, answer=answer
        )
        async with storage.writing() as unit:
            pending = await _pending(unit, session)
            await _use(unit, passkey, count)
            return await sign_in.complete(
                unit, vault, pending, address=origin.address, device=origin.device, portal=portal
            )


async def confirm_passkey(
    storage: Storage,
    vault: Vault,
    party: RelyingParty,
    session: Session,
    origin: Origin,
    *,
    reference: str,
    answer: str,
) -> StartedSession:
    """Proves again who it is, by a passkey of the account, which is a second factor as well.

    The session gets a new token. Raises as `prove_code` does.
    """
    async with _counted_proof(storage, session.account_id, origin):
        passkey, count = await passkeys.proved_as_second_factor(
            storage, vault, party, session, reference=reference, answer=answer
        )
        async with storage.writing() as unit:
            current = await sessions.require_open(unit, session)
            await _use(unit, passkey, count)
            return await sessions.prove(unit, current, second_factor=True)


async def sign_in_by_passkey(
    storage: Storage,
    vault: Vault,
    party: RelyingParty,
    origin: Origin,
    portal: PortalSection,
    *,
    reference: str,
    answer: str,
    replaces: str = "",
) -> SignedIn | SecondFactorNeeded:
    """Signs in by a passkey alone: it proves a device, and a finger or a PIN.

    `replaces` is the token that the browser had. Raises AccountRefusedError.
    """
    passkey, count = await passkeys.proved_for_sign_in(storage, vault, party, reference=reference, answer=answer)
    async with storage.writing() as unit:
        await passkeys.use(unit, passkey, count)
        return await sign_in.enter(
            unit,
            vault,
            await unit.accounts.get(passkey.account_id),
            method=SignInMethod.PASSKEY,
            address=origin.address,
            device=origin.device,
            portal=portal,
            replaces=replaces,
            is_enough=True,
        )


async def sign_in_by_oidc(
    storage: Storage,
    vault: Vault,
    section: OidcSection,
    answer: OidcAnswer,
    origin: Origin,
    portal: PortalSection,
    *,
    replaces: str = "",
) -> SignedIn | SecondFactorNeeded:
    """Signs in by what an OpenID provider says.

    An account with a second factor of its own is asked for it, unless the provider says that it asked for several.
    Raises AccountRefusedError, and FailureError for settings that cannot be.
    """
    async with storage.writing() as unit:
        found = await federated_identities.account_for(unit, section, answer.verified, origin)
        return await sign_in.enter(
            unit,
            vault,
            found.account,
            method=SignInMethod.OIDC,
            address=origin.address,
            device=origin.device,
            portal=portal,
            replaces=replaces,
            is_enough=found.proved_factors,
        )


async def _pending(unit: Unit, session: Session) -> Session:
    current = await unit.sessions.by_digest(session.digest, unit.clock.now_us())
    if current is None or not current.is_pending:
        raise AccountRefusedError(AccountRefusal.SESSION_ENDED)
    return current


async def _note_recovery(unit: Unit, vault: Vault, account_id: int, origin: Origin) -> None:
    account = await unit.accounts.get(account_id)
    await security_events.record(unit, "recovery_code_used", account_id, address=origin.address, device=origin.device)
    await factors.tell(unit, vault, account, "recovery_code_used", RECOVERY_NAME, origin)


@asynccontextmanager
async def _counted_proof(storage: Storage, account_id: int, origin: Origin) -> AsyncIterator[None]:
    """Counts a proof by a passkey, and records that it was refused. Both have transactions of their own.

    A proof that has to wait is not recorded. Raises RefusedError(RATE_LIMITED).
    """
    rule, subject = PASSKEY_PROOF_THROTTLE, str(account_id)
    await throttles.require_free(storage.reading(), (rule, subject))
    async with storage.writing() as unit:
        await throttles.take(unit, rule, subject)
    try:
        yield
    except AccountRefusedError:
        async with storage.writing() as unit:
            await _note_failure(unit, account_id, origin)
        raise


async def _use(unit: Unit, passkey: Passkey, sign_count: int) -> None:
    """Notes the use of a passkey that was right. Earlier attempts count no more."""
    await passkeys.use(unit, passkey, sign_count)
    await unit.throttles.forget(PASSKEY_PROOF_THROTTLE, str(passkey.account_id))
    await unit.throttles.forget(PASSKEY_PROMPT_THROTTLE, str(passkey.account_id))


async def _note_failure(unit: Unit, account_id: int, origin: Origin) -> None:
    await security_events.record(
        unit, "sign_in_failed", account_id, address=origin.address, device=origin.device, subject=_FAILED
    )
