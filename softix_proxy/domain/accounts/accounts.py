"""The accounts by which people sign in. They are apart from `users`, each change of which makes every daemon reload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ADMIN, NO_ROLE, OWNER_OPERATOR, OperatorRoles
from softix_proxy.domain.core.ids import new_public_id


class AccountStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in. The hash of the password is no part of it, so that it is in no `repr`."""

    id: int
    public_id: str
    """The id by which people and pages name it: `acc_` and letters."""
    email: str = field(repr=False)
    """The address as it was verified. Mail goes to this text only."""
    display_name: str = field(repr=False)
    role: str
    """The role of an operator: one of softix's, or of the configuration. `user` has no permission."""
    status: AccountStatus
    created_at_us: int
    verified_at_us: int | None = None
    """When the person proved that mail to `email` arrives. None until then, and nobody signs in until then."""
    age_attested_at_us: int | None = None
    """When the person confirmed to be at least 16 years old."""

    @property
    def is_active(self) -> bool:
        return self.status is AccountStatus.ACTIVE

    @property
    def can_sign_in(self) -> bool:
        return self.is_active and self.verified_at_us is not None


def permissions_of(account: Account, roles: OperatorRoles) -> frozenset[Permission]:
    """Returns what the account may do as an operator now. An account that cannot sign in may do nothing."""
    return roles.permissions(account.role) if account.can_sign_in else frozenset()


def is_admin(account: Account) -> bool:
    """Returns whether the account can sign in and may give roles. One who cannot do that yet lets nobody in."""
    return account.role in (ADMIN, OWNER_OPERATOR) and account.can_sign_in


def new_account(
    email: str,
    display_name: str,
    now_us: int,
    *,
    role: str = NO_ROLE,
    age_attested_at_us: int | None = None,
) -> Account:
    """Returns an account that is not stored yet. Nobody has proved its address, and it has no password."""
    return Account(
        id=0,
        public_id=new_public_id("acc"),
        email=email,
        display_name=display_name,
        role=role,
        status=AccountStatus.ACTIVE,
        created_at_us=now_us,
        age_attested_at_us=age_attested_at_us,
    )


@dataclass(frozen=True, slots=True)
class PolicyAcceptance:
    """The fact that a person accepted a policy in the version that was published then."""

    account_id: int
    policy: str
    """The name of the policy, such as `terms`."""
    version: str
    """The version as it was published, such as `2026-11-01`."""
    accepted_at_us: int


def folded_email(email: str) -> str:
    """Returns the form in which addresses are compared. A usable address is ASCII, so no other letter folds into it."""
    return email.lower()


class AccountStore(Protocol):
    """Stores accounts."""

    async def add(self, account: Account) -> Account:
        """Adds an account. `account.id` is ignored and assigned. Raises ConflictError if the e-mail is taken."""
        ...

    async def get(self, account_id: int) -> Account:
        """Raises NotFoundError."""
        ...

    async def by_email(self, email: str) -> Account | None:
        """Finds the account by its folded address."""
        ...

    async def find(self, reference: str) -> Account | None:
        """Finds the account by public id, or by e-mail if the text has an `@`."""
        ...

    async def list(self) -> Sequence[Account]: ...

    async def page(self, search: str, before_id: int | None, limit: int) -> Sequence[Account]:
        """Returns accounts, the newest first: those before that number, if one is given.

        `search` selects those whose id, address or display name contains the text. An empty one selects all.
        """
        ...

    async def update(self, account: Account) -> None:
        """Writes every column but the id. Raises ConflictError if the e-mail is taken."""
        ...

    async def password_hash(self, account_id: int) -> str | None: ...

    async def set_password_hash(self, account_id: int, password_hash: str | None) -> None: ...

    async def accept(self, acceptance: PolicyAcceptance) -> None:
        """Records an acceptance. A second one of the same version changes nothing."""
        ...

    async def acceptances(self, account_id: int) -> Sequence[PolicyAcceptance]:
        """Returns what the account accepted, the oldest first."""
        ...

    async def purge_unverified(self, before_us: int, most: int) -> int:
        """Removes people who registered before and never proved their address, at most so many. Returns their number.

        Accounts that an operator made, members of an organisation, and people with a link that works, stay.
        """
        ...
