"""Sets a new password by a mailed link, or the first one of an account that has none yet.

A reset proves that mail arrives, and nothing more. It starts no session, so a second factor is asked for at the next
sign-in as always.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.passwords import PasswordHasher
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import account_tokens, passwords, security_events, throttles, verification
from softix_proxy.operations.notices import outbox

_PURPOSES = (TokenPurpose.RESET_PASSWORD, TokenPurpose.FIRST_SIGN_IN)
_PATH = "/reset"


@dataclass(frozen=True, slots=True)
class OpenReset:
    """What the page behind the link shows before anything is consumed."""

    email: str = field(repr=False)
    is_first: bool
    """Whether the account has no password yet."""


async def request(storage: Storage, vault: Vault, email: str, *, address: str, oidc: OidcSection) -> None:
    """Mails a link to the stored address, if an active account has it. The answer is the same for every address.

    A person who only signs in at the provider is told so, and gets no link. Raises RefusedError(RATE_LIMITED).
    """
    network = throttles.network_subject(vault, address)
    await throttles.require_free(storage.reading(), (throttles.RESET, network))
    async with storage.writing() as unit:
        await throttles.take(unit, throttles.RESET, network)
        is_due = await throttles.may_mail(unit, vault, throttles.RESET_MAIL, email)
        account = await unit.accounts.by_email(email) if is_email(email) else None
        if account is None or not account.is_active or not is_due:
            vault.seal_secret(verification.link(_PATH, "")[ACTION], "outbox", "nobody")  # the same work
            return
        if await _is_the_providers(unit, account, oidc):
            vault.seal_secret(verification.link(_PATH, "")[ACTION], "outbox", "nobody")  # the same work
            await outbox.enqueue(unit, vault, Notice(NoticeKind.NO_PASSWORD, account.email, account_id=account.id))
            return
        token = await account_tokens.issue(unit, TokenPurpose.RESET_PASSWORD, account.email, account_id=account.id)
        values = {"expires": verification.expiry(unit, TokenPurpose.RESET_PASSWORD)}
        links = verification.link(_PATH, token)
        await outbox.enqueue(
            unit, vault, Notice(NoticeKind.RESET_PASSWORD, account.email, values, links, account_id=account.id)
        )


async def _is_the_providers(unit: Unit, account: Account, oidc: OidcSection) -> bool:
    """Returns whether the provider decides if the account gets in.

    A first password would go round it: whoever lost the group, or the address of the domain, would get in by it.
    """
    if not oidc.decides_who_gets_in or await unit.accounts.password_hash(account.id) is not None:
        return False
    return any(one.issuer == oidc.issuer for one in await unit.federated_identities.of_account(account.id))


async def first_link(unit: Unit, vault: Vault, account: Account, *, is_mailed: bool) -> str:
    """Returns the path of the link with which a person sets the first password, or a forgotten one, for an operator.

    The older link ends. With `is_mailed` the person gets it as a message as well.
    """
    token = await account_tokens.issue(unit, TokenPurpose.FIRST_SIGN_IN, account.email, account_id=account.id)
    links = verification.link(_PATH, token)
    if is_mailed:
        values = {"expires": verification.expiry(unit, TokenPurpose.FIRST_SIGN_IN)}
        has_password = await unit.accounts.password_hash(account.id) is not None
        kind = NoticeKind.RESET_PASSWORD if has_password else NoticeKind.FIRST_SIGN_IN
        await outbox.enqueue(unit, vault, Notice(kind, account.email, values, links, account_id=account.id))
    return links[ACTION]


async def look(storage: Storage, token: str) -> OpenReset:
    """Returns what a link is for, and consumes nothing. Raises AccountRefusedError."""
    unit = storage.reading()
    account = await account_tokens.holder(unit, await account_tokens.look(unit, token, _PURPOSES))
    return OpenReset(account.email, is_first=await unit.accounts.password_hash(account.id) is None)


async def finish(
    storage: Storage, vault: Vault, hasher: PasswordHasher, token: str, *, password: str, address: str, device: str
) -> Account:
    """Sets the password by a link, and ends every session and every other link of the account.

    The address counts as verified, because the link came by it. The person is told, unless it is the first password by
    the link of an operator. Raises AccountRefusedError, OverloadedError.
    """
    unit = storage.reading()
    found = await account_tokens.holder(unit, await account_tokens.look(unit, token, _PURPOSES))
    new_hash = await passwords.hashed(hasher, password, found.email, found.display_name)
    async with storage.writing() as unit:
        used = await account_tokens.consume(unit, token, _PURPOSES)
        account = await account_tokens.holder(unit, used)
        had_password = await unit.accounts.password_hash(account.id) is not None
        await passwords.replace_hash(unit, account.id, new_hash)
        account = await verification.welcome(unit, account)
        if had_password or used.purpose is TokenPurpose.RESET_PASSWORD:
            await passwords.told(unit, vault, account, device)
        await security_events.record(unit, "password_reset", account.id, address=address, device=device)
        return account
