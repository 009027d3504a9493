from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.audit import AuditAction
from softix_proxy.domain.accounts.operator_rights import OperatorRight
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.organisations import Membership, OrganisationRole
from softix_proxy.operations.accounts import audit, operators
from softix_proxy.operations.accounts.audit import AuditedStorage
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def make(books: SqliteStorage, name: str, role: UserRole, *, verified: bool = True) -> Account:
    account = Account(
        id=0,
        public_id=f"acc_{name}",
        email=f"{name}@example.org",
        display_name=name,
        role=role,
        status=AccountStatus.ACTIVE,
        created_at_us=1,
        verified_at_us=2 if verified else None,
    )
    async with books.writing() as unit:
        return await unit.accounts.add(account)


async def sign_in(books: SqliteStorage, account: Account) -> None:
    now_us = books.reading().clock.now_us()
    async with books.writing() as unit:
        await unit.sessions.add(
            Session(
                id=0,
                public_id=f"ses_{account.public_id}",
                account_id=account.id,
                digest=account.public_id.encode(),
                method=SignInMethod.PASSWORD,
                second_factor=False,
                is_pending=False,
                device="",
                created_at_us=now_us,
                seen_at_us=now_us,
                reauthenticated_at_us=now_us,
                idle_ends_at_us=now_us + 9,
                ends_at_us=now_us + 9,
            )
        )


async def role_of(books: SqliteStorage, account: Account) -> UserRole:
    return (await books.reading().accounts.get(account.id)).role


@pytest.mark.parametrize("role", UserRole)
async def test_door_opens_exactly_by_the_right(books: SqliteStorage, role: UserRole) -> None:
    account = await make(books, "ada", role)
    for right, opens in (
        (OperatorRight.SEE_USERS, role is not UserRole.USER),
        (OperatorRight.GRANT_ROLES, role is UserRole.ADMIN),
    ):
        if opens:
            operators.require(account, right)
            operators.require(account)
        else:
            with pytest.raises(NotFoundError):
                operators.require(account, right)
    with pytest.raises(NotFoundError):
        operators.require(replace(account, status=AccountStatus.DISABLED))


async def test_admin_sets_the_role_of_another_account_and_ends_its_sessions(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.USER)
    await sign_in(books, ada)
    await sign_in(books, bob)
    changed = await operators.set_role(books, ada, "acc_bob", UserRole.SUPPORT)
    assert changed.role is UserRole.SUPPORT and await role_of(books, bob) is UserRole.SUPPORT
    unit = books.reading()
    now_us = unit.clock.now_us()
    assert await unit.sessions.list(bob.id, now_us) == [] and len(await unit.sessions.list(ada.id, now_us)) == 1
    events = await unit.security_events.list(bob.id, 9)
    assert [event.kind for event in events] == ["role_changed", "session_ended"]


async def test_role_that_is_the_same_ends_no_session(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.SUPPORT)
    await sign_in(books, bob)
    await operators.set_role(books, ada, "acc_bob", UserRole.SUPPORT)
    assert len(await books.reading().sessions.list(bob.id, books.reading().clock.now_us())) == 1


@pytest.mark.parametrize("role", [role for role in UserRole if role is not UserRole.ADMIN])
async def test_whoever_is_no_admin_sets_no_role(books: SqliteStorage, role: UserRole) -> None:
    ada, bob = await make(books, "ada", role), await make(books, "bob", UserRole.USER)
    with pytest.raises(NotFoundError):
        await operators.set_role(books, ada, "acc_bob", UserRole.ADMIN)
    with pytest.raises(NotFoundError):
        await operators.set_status(books, ada, "acc_bob", AccountStatus.DISABLED)
    assert await role_of(books, bob) is UserRole.USER


async def test_rights_of_the_actor_are_those_of_the_moment(books: SqliteStorage) -> None:
    """A page was opened as admin, and the role ended before the form came."""
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.USER)
    async with books.writing() as unit:
        await unit.accounts.update(replace(ada, role=UserRole.AUDITOR))
    with pytest.raises(NotFoundError):
        await operators.set_role(books, ada, "acc_bob", UserRole.ADMIN)
    assert await role_of(books, bob) is UserRole.USER


async def test_nobody_changes_the_own_account(books: SqliteStorage) -> None:
    ada = await make(books, "ada", UserRole.ADMIN)
    await make(books, "bob", UserRole.ADMIN)
    for role in (UserRole.USER, UserRole.ADMIN):
        with pytest.raises(ConflictError):
            await operators.set_role(books, ada, "acc_ada", role)
    with pytest.raises(ConflictError):
        await operators.set_status(books, ada, "acc_ada", AccountStatus.DISABLED)


async def test_last_admin_keeps_the_role_whoever_asks(books: SqliteStorage) -> None:
    """Two admins take the role from each other, one after the other: the second finds that it is none any more."""
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.ADMIN)
    await operators.set_role(books, ada, "acc_bob", UserRole.USER)
    with pytest.raises(NotFoundError):
        await operators.set_role(books, bob, "acc_ada", UserRole.USER)
    assert await role_of(books, ada) is UserRole.ADMIN


async def test_disabled_account_is_signed_out_and_enabled_again(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.ADMIN)
    await sign_in(books, bob)
    await operators.set_status(books, ada, "acc_bob", AccountStatus.DISABLED)
    assert await books.reading().sessions.list(bob.id, books.reading().clock.now_us()) == []
    again = await operators.set_status(books, ada, "acc_bob", AccountStatus.ACTIVE)
    assert again.status is AccountStatus.ACTIVE


async def test_status_that_an_account_has_already_is_not_written_and_leaves_no_entry(books: SqliteStorage) -> None:
    ada, _ = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.USER)
    for status in (AccountStatus.ACTIVE, AccountStatus.DISABLED, AccountStatus.DISABLED):
        storage = AuditedStorage(books, "acc_ada", AuditAction.DISABLE_ACCOUNT, "acc_bob")
        assert (await operators.set_status(storage, ada, "acc_bob", status)).status is status
    assert len(await audit.page(books)) == 1


async def test_account_is_named_by_its_id_alone(books: SqliteStorage) -> None:
    ada = await make(books, "ada", UserRole.ADMIN)
    await make(books, "bob", UserRole.USER)
    for reference in ("bob@example.org", "acc_none", ""):
        with pytest.raises(NotFoundError):
            await operators.set_role(books, ada, reference, UserRole.ADMIN)


async def test_accounts_pages_find_by_text_and_follow_each_other(books: SqliteStorage) -> None:
    for name in ("ada", "bob", "eve"):
        await make(books, name, UserRole.USER)
    assert [one.public_id for one in await operators.accounts_page(books, limit=2)] == ["acc_eve", "acc_bob"]
    assert [one.public_id for one in await operators.accounts_page(books, before="acc_bob")] == ["acc_ada"]
    assert [one.public_id for one in await operators.accounts_page(books, search="BOB@")] == ["acc_bob"]


async def test_members_of_an_organisation_come_with_their_accounts(books: SqliteStorage, ada: User) -> None:
    bob = await make(books, "bob", UserRole.USER)
    membership = Membership(bob.id, ada.id, OrganisationRole.OWNER, 1)
    async with books.writing() as unit:
        await unit.memberships.add(membership)
    assert await operators.members(books, ada.id) == [(membership, bob)]
    assert (await operators.show_account(books, "acc_bob")).memberships == [(membership, ada, "ada")]
    assert await operators.security_events(books) == []
