"""Changes the e-mail of an account. The old one stays in use until the new one is confirmed, and is told then."""

from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import Account, folded_email
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import account_tokens, security_events, sessions, throttles, verification
from softix_proxy.operations.notices import facts, outbox

_PURPOSES = (TokenPurpose.CHANGE_EMAIL,)


async def request_change(storage: Storage, vault: Vault, session: Session, new_email: str) -> None:
    """Mails a link to the new address. Nothing of the account changes before it is confirmed.

    The answer is the same if another account has the address, whose owner is told. Raises AccountRefusedError,
    RefusedError(RATE_LIMITED).
    """
    if not is_email(new_email):
        raise AccountRefusedError(AccountRefusal.EMAIL_UNUSABLE)
    async with storage.writing() as unit:
        await sessions.require_open(unit, session)
        account = await unit.accounts.get(session.account_id)
        if account.email == new_email:
            raise AccountRefusedError(AccountRefusal.EMAIL_UNCHANGED)
        await throttles.take(unit, throttles.CHANGE_EMAIL, account.public_id)
        other = await unit.accounts.by_email(new_email)
        is_taken = other is not None and other.id != account.id
        rule = throttles.NOTICE_MAIL if is_taken else throttles.CHANGE_MAIL
        if not await throttles.may_mail(unit, vault, rule, new_email):
            return
        if other is not None and is_taken:
            await outbox.enqueue(unit, vault, Notice(NoticeKind.ALREADY_REGISTERED, other.email, account_id=other.id))
            return
        token = await account_tokens.issue(unit, TokenPurpose.CHANGE_EMAIL, new_email, account_id=account.id)
        values = {"expires": verification.expiry(unit, TokenPurpose.CHANGE_EMAIL)}
        links = verification.link("/account/email", token)
        await outbox.enqueue(
            unit, vault, Notice(NoticeKind.CONFIRM_NEW_EMAIL, new_email, values, links, account_id=account.id)
        )


async def look(storage: Storage, session: Session, token: str) -> str:
    """Returns the new address of a link, and consumes nothing. Raises AccountRefusedError."""
    found = await account_tokens.look(storage.reading(), token, _PURPOSES)
    if found.account_id != session.account_id:
        raise AccountRefusedError(AccountRefusal.LINK_ENDED)
    return found.email


async def confirm(
    storage: Storage, vault: Vault, session: Session, token: str, *, address: str, device: str
) -> Account:
    """Changes the address to the one that the link came by. All other links of the account end.

    Only the person who asked can confirm. Otherwise a stranger could put the address of somebody who presses a button
    onto an account of the stranger's own. Raises AccountRefusedError.
    """
    async with storage.writing() as unit:
        await sessions.require_open(unit, session)
        used = await account_tokens.consume(unit, token, _PURPOSES)
        if used.account_id != session.account_id:
            raise AccountRefusedError(AccountRefusal.LINK_ENDED)  # the transaction ends, and the link stays usable
        before = await unit.accounts.get(session.account_id)
        account_tokens.require_active(before)
        other = await unit.accounts.by_email(used.email)
        if other is not None and other.id != before.id:
            raise AccountRefusedError(AccountRefusal.EMAIL_TAKEN)
        account = replace(before, email=used.email, verified_at_us=unit.clock.now_us())
        await unit.accounts.update(account)
        await unit.account_tokens.end_all(account.id)
        await _follow(unit, before, account.email)
        values = {"when": facts.when(unit.clock.now_us())}
        await outbox.enqueue(unit, vault, Notice(NoticeKind.EMAIL_CHANGED, before.email, values, account_id=account.id))
        await security_events.record(unit, "email_changed", account.id, address=address, device=device)
        return account


async def _follow(unit: Unit, before: Account, email: str) -> None:
    """Changes the address of the organisations that the person owns and that have the person's old address.

    Commands that move money name an organisation by its address, so the old one must not stay there: it may belong to
    somebody else soon.
    """
    for membership in await unit.memberships.of_account(before.id):
        user = await unit.users.get(membership.user_id)
        is_its_own = membership.role is OrganisationRole.OWNER and folded_email(user.email) == folded_email(
            before.email
        )
        if is_its_own and await unit.users.find(email) in (None, user):
            await unit.users.update(replace(user, email=email))
