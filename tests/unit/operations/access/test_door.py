from __future__ import annotations

from dataclasses import replace

import pytest
from support.principals import EVE, door_of, entered

from softix_proxy.domain.access.operations import OPERATIONS, NamedOperation
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, OperatorRoles
from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.audit import ActorKind, AuditChange, Channel, Outcome, changes_of
from softix_proxy.domain.core.errors import ConflictError, NotPermittedError
from softix_proxy.domain.privacy.technical_data import Agent, CallOrigin
from softix_proxy.operations.access import users
from softix_proxy.operations.access.door import account_door, subject_of
from softix_proxy.operations.accounts import audit
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_change_leaves_one_entry_that_says_who_did_what_to_what(books: SqliteStorage, ada: User) -> None:
    storage = await entered(books, "users.disable")
    await users.update(storage, ada.public_id, status=UserStatus.DISABLED, name="lovelace")
    [entry] = await audit.page(books)
    assert (entry.actor_kind, entry.actor, entry.channel) == (ActorKind.OS_USER, "uid:1000", Channel.CLI)
    assert (entry.action, entry.subject, entry.outcome) == ("users.disable", ada.public_id, Outcome.DONE)
    change = AuditChange("user", ada.public_id, {"status": "active"}, {"status": "disabled"}, ("name",))
    assert changes_of(entry) == [change]
    assert "lovelace" not in entry.changes


async def test_operation_that_fails_leaves_no_entry(books: SqliteStorage, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=ada.role, postpaid=False)
    with pytest.raises(ConflictError):
        await users.update(await entered(books, "users.update"), ada.public_id, email="bob@example.org")
    assert await audit.page(books) == []


async def test_reading_and_rehearsing_leave_no_entry(books: SqliteStorage, ada: User) -> None:
    storage = await entered(books, "users.update")
    await users.show(storage, ada.public_id)
    async with storage.snapshot() as unit:
        assert await unit.users.get(ada.id) == ada
    await users.update(storage.rehearsal(), ada.public_id, name="eve")
    assert (await storage.changes(0)).users == (ada,)
    assert await audit.page(books) == []


async def test_change_to_the_value_that_is_there_leaves_no_entry(books: SqliteStorage, ada: User) -> None:
    storage = await entered(books, "users.enable")
    await users.update(storage, ada.public_id, status=UserStatus.ACTIVE)
    assert await audit.page(books) == []


async def test_posting_that_comes_again_leaves_no_second_entry(books: SqliteStorage, ada: User) -> None:
    storage = await entered(books, "balance.add")
    assert await balance.add(storage, ada.public_id, 5, reference="pay-1")
    assert not await balance.add(storage, ada.public_id, 5, reference="pay-1")
    [entry] = await audit.page(books)
    assert changes_of(entry) == [AuditChange("wallet", ada.public_id, {"posted_pico": 0}, {"posted_pico": 5})]


async def test_operation_that_reads_gets_no_way_to_write(books: SqliteStorage, ada: User) -> None:
    storage = await entered(books, "users.show")
    with pytest.raises(RuntimeError, match=r"users\.show is an operation that changes nothing"):
        await users.update(storage, ada.public_id, name="eve")


@pytest.mark.parametrize("role", OPERATOR_ROLES)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
async def test_door_opens_by_the_table_of_roles_and_notes_who_was_refused(
    books: SqliteStorage, role: str, operation: NamedOperation
) -> None:
    opens = operation.permission is None or operation.permission in OPERATOR_ROLES[role]
    door = door_of(books, role)
    if opens:
        await door.enter(operation.name)
        assert await audit.page(books) == []
        return
    with pytest.raises(NotPermittedError, match=f"{operation.name} needs the permission {operation.permission}"):
        await door.enter(operation.name)
    [entry] = await audit.page(books)
    assert (entry.actor, entry.action, entry.subject, entry.outcome) == (EVE.id, operation.name, "", Outcome.REFUSED)
    assert changes_of(entry) == []


async def test_role_of_an_account_is_that_of_the_moment_of_the_change(books: SqliteStorage, ada: User) -> None:
    """A page was opened as admin, and the role ended before the form came."""
    account = Account(0, "acc_eve", "eve@example.org", "Eve", "admin", AccountStatus.ACTIVE, 1, verified_at_us=2)
    async with books.writing() as unit:
        account = await unit.accounts.add(account)
    storage = await account_door(books, account, Channel.PORTAL, OperatorRoles()).enter("users.disable")
    async with books.writing() as unit:
        await unit.accounts.update(replace(account, role="auditor"))
    with pytest.raises(NotPermittedError):
        await users.update(storage, ada.public_id, status=UserStatus.DISABLED)
    assert (await users.show(books, ada.public_id)).status is UserStatus.ACTIVE


async def test_own_account_needs_no_permission_and_is_recorded(books: SqliteStorage, ada: User) -> None:
    storage = door_of(books, "user").recorded("account.update")
    await users.update(storage, ada.public_id, status=UserStatus.DISABLED)
    assert [entry.action for entry in await audit.page(books)] == ["account.update"]


def test_subject_is_the_first_change_to_the_noun_of_the_operation() -> None:
    changes = [
        AuditChange("user", "usr_ada", {}, {}),
        AuditChange("key", "key_one", {}, {}),
        AuditChange("key", "key_two", {}, {}),
    ]
    operation = NamedOperation("keys.revoke", Permission.KEYS_REVOKE, changes=True)
    assert subject_of(operation, changes) == "key_one"
    assert subject_of(operation, changes[:1]) == "usr_ada"


async def test_what_goes_through_a_door_keeps_where_it_came_from(books: SqliteStorage, ada: User) -> None:
    origin = CallOrigin("192.0.2.7", Agent("curl", "8.1", ""), "TLSv1.3")
    door = replace(door_of(books, "auditor"), origin=origin)
    with pytest.raises(NotPermittedError):
        await door.enter("users.disable")
    done = replace(door_of(books, "admin"), origin=origin)
    await users.update(await done.enter("users.disable"), ada.public_id, status=UserStatus.DISABLED)
    await users.update(done.recorded("users.enable"), ada.public_id, status=UserStatus.ACTIVE)
    await users.update((await done.enter("users.disable")).rehearsal(), ada.public_id, status=UserStatus.DISABLED)
    data = books.reading().technical_data
    assert [await data.origin_of(number) for number in (1, 2, 3, 4)] == [origin, origin, origin, None]
