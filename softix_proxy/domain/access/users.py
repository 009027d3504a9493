"""The people and programs that pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class UserRole(StrEnum):
    USER = "user"
    SUPPORT = "support"
    BILLING = "billing"
    AUDITOR = "auditor"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class User:
    id: int
    public_id: str
    name: str
    """The handle, by which commands find the user. It has no `@`."""
    email: str
    role: UserRole
    status: UserStatus
    postpaid: bool
    """Whether the user is billed afterwards. The balance may go below zero without limit, and caps still apply."""
    created_at_us: int
    regions: tuple[str, ...] = ()
    """The regions where this user's requests may be processed. Empty means anywhere."""


class UserStore(Protocol):
    """Stores users."""

    async def add(self, user: User) -> User:
        """Adds a user with a wallet of its own. `user.id` is ignored and assigned.

        Raises ConflictError if the name or the e-mail is taken.
        """
        ...

    async def find(self, reference: str) -> User | None:
        """Finds a user by public id, by e-mail address if the text has an `@`, or else by name."""
        ...

    async def get(self, user_id: int) -> User: ...

    async def list(self) -> Sequence[User]: ...

    async def page(self, search: str, before_id: int | None, limit: int) -> Sequence[User]:
        """Returns users, the newest first: those before that number, if one is given.

        `search` selects those whose id, name, e-mail or display name contains the text. An empty one selects all.
        """
        ...

    async def counts(self) -> Mapping[UserStatus, int]:
        """Returns the number of users by their status."""
        ...

    async def update(self, user: User) -> None:
        """Writes every column but the id. Raises ConflictError if the name or the e-mail is taken."""
        ...

    async def display_names(self, user_ids: Sequence[int] | None = None) -> Mapping[int, str]:
        """Returns the display names of the users that have one, by the user's number: of these users, or of all."""
        ...

    async def set_display_name(self, user_id: int, display_name: str | None) -> None:
        """Sets or removes the name that people see. Daemons do not read it, so none of them reloads."""
        ...

    async def set_password_hash(self, user_id: int, password_hash: str | None) -> None: ...
