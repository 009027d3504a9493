"""Registers people who help themselves. The answer and the work are the same whether or not an address is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.accounts.accounts import Account, PolicyAcceptance, folded_email, new_account
from softix_proxy.domain.accounts.passwords import PasswordHasher
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import (
    account_profile,
    invitation_links,
    passwords,
    security_events,
    throttles,
    verification,
)
from softix_proxy.operations.notices import outbox


class PublishedPolicy(NamedTuple):
    """A policy in the version that the page showed. Nobody registers without accepting it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class RegistrationForm:
    """What a person says who registers. There is no role in it, so no form can ask for one."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    password: str = field(repr=False)
    is_of_age: bool
    """Whether the person confirmed to be at least 16 years old."""
    accepts: bool
    """Whether the person accepted the published policies."""
    invitation: str = field(default="", repr=False)
    """The token of an invitation, which is good for the address that it was sent to."""


async def register(
    storage: Storage,
    vault: Vault,
    hasher: PasswordHasher,
    form: RegistrationForm,
    *,
    portal: PortalSection,
    policies: Sequence[PublishedPolicy] = (),
    address: str,
    device: str,
) -> Account | None:
    """Registers a person, and mails a link that verifies the address. Nobody signs in before.

    Returns None, so that the answer tells nobody whether an address is known. Only somebody with an invitation, who
    proved the address by its link, gets the account at once. The invitation stays to be accepted. Raises
    AccountRefusedError, RefusedError(RATE_LIMITED), OverloadedError.
    """
    hasher.require_room()
    name = _checked(form, portal)
    network = throttles.network_subject(vault, address)
    await throttles.require_free(storage.reading(), (throttles.REGISTER, network))
    async with storage.writing() as unit:
        await throttles.take(unit, throttles.REGISTER, network)
        is_invited = await _is_invited(unit, form)
    if portal.registration == "invitation" and not is_invited:
        raise AccountRefusedError(AccountRefusal.INVITATION_NEEDED)
    password_hash = await passwords.hashed(hasher, form.password, form.email, name)
    async with storage.writing() as unit:
        known = await unit.accounts.by_email(form.email)
        if known is not None:
            await _again(unit, vault, known)
            return None
        account = await _add(unit, form, name, password_hash)
        for policy in policies:
            now_us = unit.clock.now_us()
            await unit.accounts.accept(PolicyAcceptance(account.id, policy.name, policy.version, now_us))
        await security_events.record(unit, "registered", account.id, address=address, device=device)
        if not is_invited:
            await verification.send(unit, vault, account)
            return None
        return await _verified(unit, account)


def _checked(form: RegistrationForm, portal: PortalSection) -> str:
    """Returns the name. Raises AccountRefusedError."""
    if portal.registration == "closed":
        raise AccountRefusedError(AccountRefusal.REGISTRATION_CLOSED)
    name = account_profile.usable_name(form.name)
    if not is_email(form.email):
        raise AccountRefusedError(AccountRefusal.EMAIL_UNUSABLE)
    if not form.is_of_age:
        raise AccountRefusedError(AccountRefusal.TOO_YOUNG)
    if not form.accepts:
        raise AccountRefusedError(AccountRefusal.POLICIES_NOT_ACCEPTED)
    return name


async def _is_invited(unit: Unit, form: RegistrationForm) -> bool:
    """Returns whether the invitation was sent to this address. Raises AccountRefusedError if it has ended."""
    if not form.invitation:
        return False
    invitation = await invitation_links.look(unit, form.invitation)
    if invitation is None:
        raise AccountRefusedError(AccountRefusal.LINK_ENDED)
    return folded_email(invitation.email) == folded_email(form.email)


async def _again(unit: Unit, vault: Vault, known: Account) -> None:
    """Tells the owner of a known address by mail.

    Whoever registered an unverified address first may have been a stranger, and so may be who does now. So neither of
    their passwords is kept, and the one who gets the mail chooses one.
    """
    if known.verified_at_us is None:
        if known.is_active:
            await unit.accounts.set_password_hash(known.id, None)
            await verification.send(unit, vault, known)
    elif await throttles.may_mail(unit, vault, throttles.NOTICE_MAIL, known.email):
        await outbox.enqueue(unit, vault, Notice(NoticeKind.ALREADY_REGISTERED, known.email, account_id=known.id))


async def _add(unit: Unit, form: RegistrationForm, name: str, password_hash: str) -> Account:
    now_us = unit.clock.now_us()
    account = await unit.accounts.add(new_account(form.email, name, now_us, age_attested_at_us=now_us))
    await unit.accounts.set_password_hash(account.id, password_hash)
    return account


async def _verified(unit: Unit, account: Account) -> Account:
    """Marks the address as verified by the invitation. The organisation is that of the invitation."""
    verified = replace(account, verified_at_us=unit.clock.now_us())
    await unit.accounts.update(verified)
    return verified
