"""The operations that an operator can run on users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.catalog import providers

_NAME = re.compile(r"[^\W_](?:[\w .@'-]{0,62}\w)?")
_PASSWORD_LENGTHS = range(12, 257)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.][^@\s]{0,188}")


async def create(
    storage: Storage, *, name: str, email: str, role: UserRole, postpaid: bool, regions: Sequence[str] = ()
) -> User:
    """Creates a user with an empty wallet.

    Raises BadInputError, and ConflictError if the name or e-mail address is taken.
    """
    async with storage.writing() as unit:
        return await unit.users.add(
            User(
                id=0,
                public_id=new_public_id("usr"),
                name=_checked(_NAME, name, "name"),
                email=_checked(_EMAIL, email, "e-mail"),
                role=role,
                status=UserStatus.ACTIVE,
                postpaid=postpaid,
                created_at_us=unit.clock.now_us(),
                regions=providers.checked_regions(regions),
            )
        )


async def list_all(storage: Storage) -> Sequence[User]:
    return await storage.reading().users.list()


async def show(storage: Storage, reference: str) -> User:
    return await find(storage.reading(), reference)


async def show_number(storage: Storage, user_id: int) -> User:
    return await storage.reading().users.get(user_id)


async def update(
    storage: Storage,
    reference: str,
    *,
    name: str | None = None,
    email: str | None = None,
    role: UserRole | None = None,
    postpaid: bool | None = None,
    status: UserStatus | None = None,
    regions: Sequence[str] | None = None,
) -> User:
    """Changes the values that are given. Raises NotFoundError, BadInputError, ConflictError."""
    async with storage.writing() as unit:
        user = await find(unit, reference)
        changed = replace(
            user,
            name=user.name if name is None else _checked(_NAME, name, "name"),
            email=user.email if email is None else _checked(_EMAIL, email, "e-mail"),
            role=user.role if role is None else role,
            postpaid=user.postpaid if postpaid is None else postpaid,
            status=user.status if status is None else status,
            regions=user.regions if regions is None else providers.checked_regions(regions),
        )
        await unit.users.update(changed)
        return changed


async def set_password(storage: Storage, vault: Vault, reference: str, password: str) -> User:
    """Sets the user's password. Only its hash is kept. Raises NotFoundError, BadInputError."""
    if len(password) not in _PASSWORD_LENGTHS or not password.isprintable():
        raise BadInputError(
            "not a usable password", "take 12 to 256 letters, digits, signs and spaces; length makes it strong"
        )
    hashed = vault.hash_password(password)  # hashing is slow on purpose, so it runs before the write lock is taken
    async with storage.writing() as unit:
        user = await find(unit, reference)
        await unit.users.set_password_hash(user.id, hashed)
        return user


async def find(unit: Unit, reference: str) -> User:
    """Returns the user with this id, name or e-mail address. Raises NotFoundError."""
    user = await unit.users.find(reference)
    if user is None:
        raise NotFoundError(f"no user {reference!r}", "see: softix users list")
    return user


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise BadInputError(
            f"not a usable {what}: {text!r}",
            "it is short and plain, for example " + ("ada" if what == "name" else "ada@example.org"),
        )
    return text
