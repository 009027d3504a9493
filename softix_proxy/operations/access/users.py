"""The operations that an operator can run on users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from softix_proxy.domain.access.identity import ID_PREFIX, checked_display_name, checked_email, checked_handle
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.catalog.regions import checked_regions
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access.templates import apply_to_user

_PASSWORD_LENGTHS = range(12, 257)


async def create(
    storage: Storage,
    *,
    name: str,
    email: str,
    role: UserRole,
    postpaid: bool,
    regions: Sequence[str] = (),
    display_name: str | None = None,
    template: str | None = None,
) -> User:
    """Creates a user with an empty wallet. `template` is that of its limits; see `templates.apply_to_user`.

    Raises BadInputError, and ConflictError if the name or e-mail address is taken.
    """
    shown = checked_display_name(display_name) if display_name else None
    async with storage.writing() as unit:
        made = await unit.users.add(
            User(
                id=0,
                public_id=new_public_id("usr"),
                name=checked_handle(name),
                email=checked_email(email),
                role=role,
                status=UserStatus.ACTIVE,
                postpaid=postpaid,
                created_at_us=unit.clock.now_us(),
                regions=checked_regions(regions),
            )
        )
        if shown is not None:
            await unit.users.set_display_name(made.id, shown)
        await apply_to_user(unit, made, template)
        return made


async def names(storage: Storage) -> Mapping[int, str]:
    """Returns the names of all users by their numbers."""
    return {user.id: user.name for user in await storage.reading().users.list()}


async def display_names(storage: Storage, user_ids: Sequence[int] | None = None) -> Mapping[int, str]:
    """Returns the display names of the users that have one, by the user's number: of these users, or of all."""
    return await storage.reading().users.display_names(user_ids)


async def list_all(storage: Storage) -> Sequence[User]:
    return await storage.reading().users.list()


async def page(storage: Storage, *, search: str = "", before: str | None = None, limit: int = 50) -> Sequence[User]:
    """Returns users, the newest first: those before the user of this id, if one is given.

    `search` selects those whose id, name, e-mail address or display name contains the text. Raises NotFoundError.
    """
    unit = storage.reading()
    before_id = (await find(unit, before)).id if before else None
    return await unit.users.page(search, before_id, limit)


async def counts(storage: Storage) -> Mapping[UserStatus, int]:
    """Returns the number of users by their status."""
    return await storage.reading().users.counts()


async def show(storage: Storage, reference: str) -> User:
    return await find(storage.reading(), reference)


async def show_id(storage: Storage, public_id: str) -> User:
    """Returns the user with this id, and never one of this name. Raises NotFoundError."""
    user = await find(storage.reading(), public_id)
    if user.public_id != public_id:
        raise NotFoundError(f"no user has the id {public_id!r}", "see: softix users list")
    return user


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
    display_name: str | None = None,
) -> User:
    """Changes the values that are given. An empty display name removes it.

    Raises NotFoundError, BadInputError, ConflictError.
    """
    async with storage.writing() as unit:
        user = await find(unit, reference)
        changed = replace(
            user,
            name=user.name if name is None else checked_handle(name),
            email=user.email if email is None else checked_email(email),
            role=user.role if role is None else role,
            postpaid=user.postpaid if postpaid is None else postpaid,
            status=user.status if status is None else status,
            regions=user.regions if regions is None else checked_regions(regions),
        )
        if changed != user or display_name is None:
            await unit.users.update(changed)
        if display_name is not None:
            shown = checked_display_name(display_name) if display_name else None
            await unit.users.set_display_name(user.id, shown)
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


async def find_payer(unit: Unit, reference: str) -> User:
    """Returns the user whose money is moved. Only an id or an e-mail address names one, because names are changed.

    Raises BadInputError for another reference, and NotFoundError.
    """
    if "@" in reference or reference.startswith(ID_PREFIX):
        return await find(unit, reference)
    named = await find(unit, reference)
    raise BadInputError(
        f"{reference!r} is a name, and money is moved by id or e-mail only, since names change",
        f"use the id {named.public_id}, if that is who you mean: softix users show {named.public_id}",
    )
