"""The operations on tokens in mailed links. Each is bound to the address that it was sent to, and works once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.accounts.accounts import Account, folded_email
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.secret_tokens import new_token, token_digest
from softix_proxy.domain.ports.storage import Unit

LASTS_US: Mapping[TokenPurpose, int] = {
    TokenPurpose.VERIFY_EMAIL: DAY_US,
    TokenPurpose.RESET_PASSWORD: 3600 * SECOND_US,
    TokenPurpose.CHANGE_EMAIL: DAY_US,
    TokenPurpose.FIRST_SIGN_IN: 3 * DAY_US,
    TokenPurpose.INVITATION: 7 * DAY_US,
}
"""For how long a link works."""
_Take = Callable[[bytes, TokenPurpose, int], Awaitable[AccountToken | None]]


async def issue(
    unit: Unit, purpose: TokenPurpose, email: str, *, account_id: int | None = None, invitation_id: int | None = None
) -> str:
    """Returns the text of a new token. The older ones of the same account and purpose end."""
    text, now_us = new_token(), unit.clock.now_us()
    await unit.account_tokens.add(
        AccountToken(
            digest=token_digest(text),
            purpose=purpose,
            account_id=account_id,
            email=email,
            created_at_us=now_us,
            expires_at_us=now_us + LASTS_US[purpose],
            invitation_id=invitation_id,
        )
    )
    return text


async def look(unit: Unit, text: str, purposes: Iterable[TokenPurpose]) -> AccountToken:
    """Returns the token, which stays usable: what follows a link by itself spends nothing.

    Raises AccountRefusedError if it is of no such purpose, or was used, replaced, or has expired.
    """
    return await _first(unit, unit.account_tokens.find, text, purposes)


async def consume(unit: Unit, text: str, purposes: Iterable[TokenPurpose]) -> AccountToken:
    """Returns the token, and ends it. Raises as `look` does."""
    return await _first(unit, unit.account_tokens.consume, text, purposes)


async def holder(unit: Unit, token: AccountToken) -> Account:
    """Returns the active account that the token is for. Raises AccountRefusedError.

    A token that was sent to another address than the account has by now is worth nothing.
    """
    if token.account_id is None:
        raise AccountRefusedError(AccountRefusal.LINK_ENDED)
    account = await unit.accounts.get(token.account_id)
    if folded_email(account.email) != folded_email(token.email):
        raise AccountRefusedError(AccountRefusal.LINK_ENDED)
    require_active(account)
    return account


def require_active(account: Account) -> None:
    """Raises AccountRefusedError if the operator disabled the account."""
    if not account.is_active:
        raise AccountRefusedError(AccountRefusal.DISABLED)


async def _first(unit: Unit, take: _Take, text: str, purposes: Iterable[TokenPurpose]) -> AccountToken:
    digest, now_us = token_digest(text), unit.clock.now_us()
    for purpose in purposes:
        found = await take(digest, purpose, now_us)
        if found is not None:
            return found
    raise AccountRefusedError(AccountRefusal.LINK_ENDED)
