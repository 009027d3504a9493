"""Verifies that mail to an address arrives. Only then can a person sign in, and gets an organisation of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from softix_proxy.domain.access.identity import handle_from, is_email
from softix_proxy.domain.access.roles import NO_ROLE, OrganisationRole
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.passwords import PasswordHasher
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access.templates import apply_to_user
from softix_proxy.operations.accounts import account_tokens, passwords, security_events, throttles
from softix_proxy.operations.notices import facts, outbox

_PURPOSES = (TokenPurpose.VERIFY_EMAIL,)
_HANDLES_TRIED = 5


@dataclass(frozen=True, slots=True)
class OpenVerification:
    """What the page behind the link shows before anything is consumed."""

    email: str = field(repr=False)


async def send(unit: Unit, vault: Vault, account: Account) -> None:
    """Mails a link, unless the address got several within the hour. The older link ends."""
    if not await throttles.may_mail(unit, vault, throttles.VERIFY_MAIL, account.email):
        return
    token = await account_tokens.issue(unit, TokenPurpose.VERIFY_EMAIL, account.email, account_id=account.id)
    values = {"expires": expiry(unit, TokenPurpose.VERIFY_EMAIL)}
    notice = Notice(NoticeKind.VERIFY_EMAIL, account.email, values, link("/verify", token), account.id)
    await outbox.enqueue(unit, vault, notice)


async def resend(storage: Storage, vault: Vault, email: str, *, address: str) -> None:
    """Mails the link again. The answer is the same for every address. Raises RefusedError(RATE_LIMITED)."""
    network = throttles.network_subject(vault, address)
    await throttles.require_free(storage.reading(), (throttles.RESET, network))
    async with storage.writing() as unit:
        await throttles.take(unit, throttles.RESET, network)
        account = await unit.accounts.by_email(email) if is_email(email) else None
        if account is not None and account.is_active and account.verified_at_us is None:
            await send(unit, vault, account)


async def look(storage: Storage, token: str) -> OpenVerification:
    """Returns what a link is for, and consumes nothing. Raises AccountRefusedError."""
    return OpenVerification((await _holder(storage.reading(), token)).email)


async def verify(
    storage: Storage, hasher: PasswordHasher, token: str, *, password: str, address: str, device: str
) -> Account:
    """Verifies the address of the link, and sets the password with which its reader signs in from now on.

    The reader may have typed the same one when registering. The stored one counts for nothing: whoever registered the
    address may have been a stranger, who would wait for its owner to press the button. Raises AccountRefusedError,
    OverloadedError.
    """
    found = await _holder(storage.reading(), token)
    if not password:
        raise AccountRefusedError(AccountRefusal.PASSWORD_NEEDED)
    hashed = await passwords.hashed(hasher, password, found.email, found.display_name)
    async with storage.writing() as unit:
        account = await account_tokens.holder(unit, await account_tokens.consume(unit, token, _PURPOSES))
        await passwords.replace_hash(unit, account.id, hashed)
        account = await welcome(unit, account)
        await security_events.record(unit, "email_verified", account.id, address=address, device=device)
        return account


async def _holder(unit: Unit, token: str) -> Account:
    return await account_tokens.holder(unit, await account_tokens.look(unit, token, _PURPOSES))


async def welcome(unit: Unit, account: Account) -> Account:
    """Marks the address as verified, and gives a person who belongs to no organisation one of the own.

    This happens once: whoever was verified by an invitation, or left every organisation later, founds none by another
    link. An operator's account gets none. Neither does a person whose address an existing user has: nobody knows yet
    whether that user is this person, so an operator connects them with `softix accounts create --organisation`.
    """
    if account.verified_at_us is not None:
        return account
    account = replace(account, verified_at_us=unit.clock.now_us())
    await unit.accounts.update(account)
    if account.role == NO_ROLE and not await unit.memberships.of_account(account.id):
        await _found_organisation(unit, account)
    return account


async def _found_organisation(unit: Unit, account: Account) -> None:
    if await unit.users.find(account.email) is not None:
        return
    now_us = unit.clock.now_us()
    made = await unit.users.add(
        User(
            id=0,
            public_id=new_public_id("usr"),
            name=await _free_handle(unit, account.display_name),
            email=account.email,
            role=UserRole.USER,
            status=UserStatus.ACTIVE,
            postpaid=False,
            created_at_us=now_us,
        )
    )
    await unit.users.set_display_name(made.id, account.display_name)
    await apply_to_user(unit, made)
    await unit.memberships.add(Membership(account.id, made.id, OrganisationRole.OWNER, now_us))


async def _free_handle(unit: Unit, display_name: str) -> str:
    """Returns a handle like the name that nobody has. Under the write lock nobody takes it meanwhile."""
    wanted = handle_from(display_name)
    for letters in range(_HANDLES_TRIED):
        handle = f"{wanted}-{new_public_id('x')[2 : 4 + 2 * letters]}" if letters else wanted
        if await unit.users.find(handle) is None:
            return handle
    raise ConflictError("no handle is free that is like the name", "try again")


def link(path: str, token: str) -> Mapping[str, str]:
    """Returns the link of a message, as a path below the public URL."""
    return {ACTION: f"{path}?token={token}"}


def expiry(unit: Unit, purpose: TokenPurpose) -> str:
    """Returns the time until which a link works that is made now, as messages show it."""
    return facts.when(unit.clock.now_us() + account_tokens.LASTS_US[purpose])
