"""The rights of operators under /admin, by their role. This table is the only place that says who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from softix_proxy.domain.access.users import UserRole

if TYPE_CHECKING:
    from softix_proxy.domain.accounts.accounts import Account


class OperatorRight(StrEnum):
    SEE_USERS = "see_users"
    """See users, which are organisations, with their members and their balance."""
    SEE_KEYS = "see_keys"
    """See keys, their limits and their spend. Nobody sees a key's text."""
    SEE_USAGE = "see_usage"
    """See requests, what they cost, and those that run now."""
    SEE_MAIL = "see_mail"
    SEE_MONEY = "see_money"
    """See postings, payments, periods and documents."""
    SEE_CATALOG = "see_catalog"
    """See providers and their health, models, routes and prices. Nobody sees a provider's key."""
    SEE_SECURITY = "see_security"
    """See the accounts of people, what happened to their security, the audit, and the warnings of the instance."""
    CHANGE_USERS = "change_users"
    """Rename a user, change its address, and disable or enable it."""
    CHANGE_KEYS = "change_keys"
    """Change the limits of a key."""
    REVOKE_KEYS = "revoke_keys"
    RETRY_MAIL = "retry_mail"
    MOVE_MONEY = "move_money"
    """Add to a balance, adjust it, and set how far it may go below zero."""
    CHANGE_PRICES = "change_prices"
    """Approve and reject proposed prices."""
    CHANGE_CATALOG = "change_catalog"
    """Disable and enable providers, models and routes."""
    GRANT_ROLES = "grant_roles"
    """Set the role of another account, and disable or enable it."""


_SEE = frozenset(right for right in OperatorRight if right.name.startswith("SEE_"))
OPERATOR_RIGHTS: Mapping[UserRole, frozenset[OperatorRight]] = {
    UserRole.USER: frozenset(),
    UserRole.SUPPORT: frozenset(
        (
            OperatorRight.SEE_USERS,
            OperatorRight.SEE_KEYS,
            OperatorRight.SEE_USAGE,
            OperatorRight.SEE_MAIL,
            OperatorRight.REVOKE_KEYS,  # a key that leaked must not wait for somebody else
            OperatorRight.RETRY_MAIL,
        )
    ),
    UserRole.BILLING: frozenset(
        (
            OperatorRight.SEE_USERS,
            OperatorRight.SEE_KEYS,
            OperatorRight.SEE_USAGE,
            OperatorRight.SEE_MONEY,
            OperatorRight.SEE_CATALOG,
            OperatorRight.MOVE_MONEY,
            OperatorRight.CHANGE_PRICES,
        )
    ),
    UserRole.AUDITOR: _SEE,
    UserRole.ADMIN: frozenset(OperatorRight),
}
NEEDS_RECENT_PROOF = frozenset(OperatorRight) - _SEE - {OperatorRight.REVOKE_KEYS, OperatorRight.RETRY_MAIL}
"""The rights that are used only right after a proof of who it is. The two others give nothing to anybody."""


def rights_of(account: Account) -> frozenset[OperatorRight]:
    """Returns what the account may do under /admin now. An account that cannot sign in may do nothing."""
    return OPERATOR_RIGHTS[account.role] if account.can_sign_in else frozenset()


def may_grant_roles(account: Account) -> bool:
    """Returns whether the account is an admin who can sign in. One who cannot do that yet lets nobody in."""
    return OperatorRight.GRANT_ROLES in rights_of(account)
