"""Who may sign in by an OpenID provider, and as whom.

An address that the provider does not call verified means nothing. An account whose address nobody verified may have
been made by somebody else, so its password and sessions end before its owner takes it. An account that is in use is
linked by its owner only, who is signed in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from softix_proxy.domain.access.identity import checked_display_name, is_email
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.accounts.accounts import Account, new_account
from softix_proxy.domain.accounts.federated_identities import FederatedIdentity, VerifiedClaims
from softix_proxy.domain.accounts.oidc_section import OidcSection, checked_role_rule
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.security_events import SecurityEventKind
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import (
    account_tokens,
    ceremonies,
    factors,
    security_events,
    sessions,
    verification,
)
from softix_proxy.operations.accounts.factors import OIDC_NAME, Origin
from softix_proxy.operations.accounts.sessions import StartedSession

_TRUE = (True, "true", "True", "1")
"""How providers write that an address is verified."""
_MFA = "mfa"
"""The value of `amr` that says that several factors were proved (RFC 8176, section 2)."""


class FederatedSignIn(NamedTuple):
    account: Account
    proved_factors: bool
    """Whether the provider says that the person proved several factors to it."""


async def account_for(unit: Unit, section: OidcSection, verified: VerifiedClaims, origin: Origin) -> FederatedSignIn:
    """Returns the account that signs in, in the caller's transaction. It may be made, taken over or joined here.

    Raises AccountRefusedError with what the person can do, and FailureError.
    """
    role = checked_role(section, verified)
    _require_domain(section, verified)
    identity = await unit.federated_identities.find(verified.issuer, verified.subject)
    if identity is not None:
        account = await unit.accounts.get(identity.account_id)
        await unit.federated_identities.use(identity, unit.clock.now_us())
    else:
        account = await _new_to_us(unit, section, verified, origin)
    account_tokens.require_active(account)
    await _join(unit, section, account, role, origin)
    if identity is None:
        account = await verification.welcome(unit, account)
    proved = verified.claims.get("amr")
    return FederatedSignIn(account, isinstance(proved, list) and _MFA in proved)


async def _new_to_us(unit: Unit, section: OidcSection, verified: VerifiedClaims, origin: Origin) -> Account:
    email = verified_email(section, verified)
    account = await unit.accounts.by_email(email)
    if account is None:
        account = await _made(unit, section, verified, email)
        await _record(unit, account, "registered", origin)
    elif account.verified_at_us is None:
        account = await _taken_over(unit, account, verified, email)
        await _record(unit, account, "email_verified", origin)
    else:
        raise AccountRefusedError(AccountRefusal.LINK_FIRST)
    await _add(unit, account.id, verified)
    return account


async def _made(unit: Unit, section: OidcSection, verified: VerifiedClaims, email: str) -> Account:
    if not section.create_accounts:
        raise AccountRefusedError(AccountRefusal.ACCOUNT_MISSING)
    return await unit.accounts.add(new_account(email, _name(verified, email), unit.clock.now_us()))


async def _taken_over(unit: Unit, account: Account, verified: VerifiedClaims, email: str) -> Account:
    """Gives an account that nobody verified to the owner of its address, with nothing that somebody else put there."""
    await unit.accounts.set_password_hash(account.id, None)
    await unit.sessions.end_others(account.id)
    await unit.account_tokens.end_all(account.id)
    await unit.factors.remove_all(account.id)
    await unit.ceremonies.end_all(account.id)
    taken = replace(
        account,
        email=email,
        display_name=_name(verified, email),
        age_attested_at_us=None,
    )
    await unit.accounts.update(taken)
    return taken


async def _join(unit: Unit, section: OidcSection, account: Account, role: OrganisationRole, origin: Origin) -> None:
    """Makes the account a member of the organisation, in the role that the claims give. An owner stays one.

    Where no claim decides, a person joins once: whoever was removed, or left, does not come back by signing in.
    """
    if section.organisation is None:
        return
    user = await unit.users.find(section.organisation)
    if user is None:
        raise FailureError("oidc.organisation names no organisation", "set it to an id of: softix users list")
    held = await unit.memberships.find(account.id, user.id)
    if held is None:
        if not section.roles and await unit.memberships.has_ended(account.id, user.id):
            return
        await unit.memberships.add(
            Membership(account_id=account.id, user_id=user.id, role=role, created_at_us=unit.clock.now_us())
        )
        await _record(unit, account, "member_added", origin, user.public_id)
    elif section.roles and held.role not in (role, OrganisationRole.OWNER):
        await unit.memberships.set_role(account.id, user.id, role)
        await _record(unit, account, "role_changed", origin, user.public_id)


async def link(
    storage: Storage, vault: Vault, session: Session, account: Account, verified: VerifiedClaims, origin: Origin
) -> None:
    """Links an identity with the account of a session. Raises AccountRefusedError if it belongs to another account."""
    async with storage.writing() as unit:
        await factors.require_strong_session(unit, session)
        known = await unit.federated_identities.find(verified.issuer, verified.subject)
        if known is not None and known.account_id == account.id:
            return
        try:
            await _add(unit, account.id, verified)
        except ConflictError:
            raise AccountRefusedError(AccountRefusal.LINKED_ELSEWHERE) from None
        await factors.record_change(unit, vault, session, account, "factor_added", OIDC_NAME, origin)


async def unlink(
    storage: Storage, vault: Vault, session: Session, account: Account, issuer: str, origin: Origin
) -> None:
    """Ends the sign-in by an issuer. Raises AccountRefusedError."""
    async with storage.writing() as unit:
        await factors.require_strong_session(unit, session)
        if not await unit.federated_identities.remove(account.id, issuer):
            raise AccountRefusedError(AccountRefusal.FACTOR_MISSING)
        await factors.record_change(unit, vault, session, account, "factor_removed", OIDC_NAME, origin)


async def confirm(
    storage: Storage, section: OidcSection, session: Session, verified: VerifiedClaims, origin: Origin
) -> StartedSession:
    """Proves again who it is, by an identity of the session's account. The session gets a new token.

    A provider that was asked to, and did not make the person sign in anew, proves nothing. Raises AccountRefusedError.
    """
    checked_role(section, verified)
    _require_domain(section, verified)
    async with storage.writing() as unit:
        current, now_us = await sessions.require_open(unit, session), unit.clock.now_us()
        identity = await unit.federated_identities.find(verified.issuer, verified.subject)
        is_own = identity is not None and identity.account_id == current.account_id
        if identity is not None and is_own and _is_fresh(verified, now_us // SECOND_US):
            await unit.federated_identities.use(identity, now_us)
            return await sessions.prove(unit, current)
        await security_events.record(
            unit,
            "sign_in_failed",
            current.account_id,
            address=origin.address,
            device=origin.device,
            subject=OIDC_NAME,
        )
    raise AccountRefusedError(AccountRefusal.PROVIDER_PROOF_OLD if is_own else AccountRefusal.IDENTITY_UNLINKED)


def _is_fresh(verified: VerifiedClaims, now_s: int) -> bool:
    """Returns whether the provider says that the person signed in there no longer ago than the way may take."""
    signed_in_s = verified.claims.get("auth_time")
    return type(signed_in_s) is int and abs(now_s - signed_in_s) <= ceremonies.LIFETIME_S


def verified_email(section: OidcSection, verified: VerifiedClaims) -> str:
    """Returns the person's address. Raises AccountRefusedError unless the provider says that it is verified."""
    email = verified.claims.get("email")
    if not isinstance(email, str) or verified.claims.get(section.verified_claim) not in _TRUE:
        raise AccountRefusedError(AccountRefusal.EMAIL_UNVERIFIED)
    if not is_email(email):
        raise AccountRefusedError(AccountRefusal.EMAIL_UNUSABLE)
    return email


def checked_role(section: OidcSection, verified: VerifiedClaims) -> OrganisationRole:
    """Returns the role that the claims give. Raises AccountRefusedError if there are rules, and none applies."""
    if not section.roles:
        return OrganisationRole(section.default_role)
    given = verified.claims.get(section.role_claim)
    values = given if isinstance(given, list) else [given]
    for value, role in map(checked_role_rule, section.roles):
        if value in values:
            return role
    raise AccountRefusedError(AccountRefusal.ROLE_MISSING)


def _require_domain(section: OidcSection, verified: VerifiedClaims) -> None:
    email = verified.claims.get("email")
    domain = email.rpartition("@")[2].lower() if isinstance(email, str) else ""
    if section.allowed_domains and domain not in [each.lower() for each in section.allowed_domains]:
        raise AccountRefusedError(AccountRefusal.DOMAIN_FORBIDDEN)


async def _add(unit: Unit, account_id: int, verified: VerifiedClaims) -> None:
    now_us = unit.clock.now_us()
    await unit.federated_identities.add(
        FederatedIdentity(
            issuer=verified.issuer,
            subject=verified.subject,
            account_id=account_id,
            created_at_us=now_us,
            used_at_us=now_us,
        )
    )


async def _record(
    unit: Unit, account: Account, kind: SecurityEventKind, origin: Origin, subject: str = OIDC_NAME
) -> None:
    await security_events.record(unit, kind, account.id, address=origin.address, device=origin.device, subject=subject)


def _name(verified: VerifiedClaims, email: str) -> str:
    name = verified.claims.get("name")
    try:
        return checked_display_name(name) if isinstance(name, str) else email.partition("@")[0]
    except BadInputError:
        return email.partition("@")[0]
