from __future__ import annotations

import pytest
from support.principals import ALL, entered

from softix_proxy.domain.access.roles import OPERATOR_ROLES, Granter, OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError, NotPermittedError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.operations.accounts import audit, operators
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def make(books: SqliteStorage, name: str, role: str, *, verified: bool = True) -> Account:
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


async def role_of(books: SqliteStorage, account: Account) -> str:
    return (await books.reading().accounts.get(account.id)).role


async def test_admin_sets_the_role_of_another_account_and_ends_its_sessions(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.USER)
    await sign_in(books, ada)
    await sign_in(books, bob)
    changed = await operators.set_role(books, ada, "acc_bob", UserRole.SUPPORT, ALL)
    assert changed.role == UserRole.SUPPORT and await role_of(books, bob) == UserRole.SUPPORT
    unit = books.reading()
    now_us = unit.clock.now_us()
    assert await unit.sessions.list(bob.id, now_us) == [] and len(await unit.sessions.list(ada.id, now_us)) == 1
    events = await unit.security_events.list(bob.id, 9)
    assert [event.kind for event in events] == ["role_changed", "session_ended"]


async def test_role_that_is_the_same_ends_no_session(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.SUPPORT)
    await sign_in(books, bob)
    await operators.set_role(books, ada, "acc_bob", UserRole.SUPPORT, ALL)
    assert len(await books.reading().sessions.list(bob.id, books.reading().clock.now_us())) == 1


@pytest.mark.parametrize("own", ["support", "billing", "auditor", "admin"])
@pytest.mark.parametrize("role", ["user", "support", "billing", "auditor", "admin", "owner-operator"])
async def test_nobody_gives_or_takes_a_role_with_more_than_their_own(books: SqliteStorage, own: str, role: str) -> None:
    ada, bob = await make(books, "ada", own), await make(books, "bob", "user")
    by = Granter(permissions=OPERATOR_ROLES[own])
    if OPERATOR_ROLES[role] <= OPERATOR_ROLES[own]:
        assert (await operators.set_role(books, ada, "acc_bob", role, by)).role == role
        return
    with pytest.raises(NotPermittedError, match="permissions that you have not"):
        await operators.set_role(books, ada, "acc_bob", role, by)
    assert await role_of(books, bob) == "user"
    eve = await make(books, "eve", role)
    for taking in (
        operators.set_role(books, ada, "acc_eve", "user", by),
        operators.set_status(books, ada, "acc_eve", AccountStatus.DISABLED, by),
    ):
        with pytest.raises(NotPermittedError):
            await taking
    assert await books.reading().accounts.get(eve.id) == eve


async def test_role_that_does_not_exist_is_refused(books: SqliteStorage) -> None:
    ada, _ = await make(books, "ada", "admin"), await make(books, "bob", "user")
    with pytest.raises(BadInputError, match="no role 'king'"):
        await operators.set_role(books, ada, "acc_bob", "king", ALL)


async def test_nobody_changes_the_own_account(books: SqliteStorage) -> None:
    ada = await make(books, "ada", UserRole.ADMIN)
    await make(books, "bob", UserRole.ADMIN)
    for role in (UserRole.USER, UserRole.ADMIN):
        with pytest.raises(ConflictError):
            await operators.set_role(books, ada, "acc_ada", role, ALL)
    with pytest.raises(ConflictError):
        await operators.set_status(books, ada, "acc_ada", AccountStatus.DISABLED, ALL)


async def test_last_admin_keeps_the_role_whoever_asks(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.ADMIN)
    await operators.set_role(books, ada, "acc_bob", UserRole.USER, ALL)
    with pytest.raises(ConflictError, match="last admin"):
        await operators.set_role(books, bob, "acc_ada", UserRole.USER, ALL)
    assert await role_of(books, ada) == UserRole.ADMIN


async def test_disabled_account_is_signed_out_and_enabled_again(books: SqliteStorage) -> None:
    ada, bob = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.ADMIN)
    await sign_in(books, bob)
    await operators.set_status(books, ada, "acc_bob", AccountStatus.DISABLED, ALL)
    assert await books.reading().sessions.list(bob.id, books.reading().clock.now_us()) == []
    again = await operators.set_status(books, ada, "acc_bob", AccountStatus.ACTIVE, ALL)
    assert again.status is AccountStatus.ACTIVE


async def test_status_that_an_account_has_already_is_not_written_and_leaves_no_entry(books: SqliteStorage) -> None:
    ada, _ = await make(books, "ada", UserRole.ADMIN), await make(books, "bob", UserRole.USER)
    for status in (AccountStatus.ACTIVE, AccountStatus.DISABLED, AccountStatus.DISABLED):
        storage = await entered(books, "accounts.disable")
        assert (await operators.set_status(storage, ada, "acc_bob", status, ALL)).status is status
    assert len(await audit.page(books)) == 1


async def test_account_is_named_by_its_id_alone(books: SqliteStorage) -> None:
    ada = await make(books, "ada", UserRole.ADMIN)
    await make(books, "bob", UserRole.USER)
    for reference in ("bob@example.org", "acc_none", ""):
        with pytest.raises(NotFoundError):
            await operators.set_role(books, ada, reference, UserRole.ADMIN, ALL)


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
