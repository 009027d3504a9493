import pytest

from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.accounts.audit import AuditAction
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import audit
from softix_proxy.operations.accounts.audit import AuditedStorage, VerifiedAudit
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


def audited(books: SqliteStorage) -> AuditedStorage:
    return AuditedStorage(books, "acc_eve", AuditAction.DISABLE_USER, "usr_ada")


async def test_operation_on_an_audited_storage_leaves_one_entry_with_its_change(
    books: SqliteStorage, ada: User
) -> None:
    await users.update(audited(books), ada.public_id, status=UserStatus.DISABLED)
    [entry] = await audit.page(books)
    assert (entry.actor, entry.action, entry.subject) == ("acc_eve", AuditAction.DISABLE_USER, "usr_ada")
    assert (await users.show(books, ada.public_id)).status is UserStatus.DISABLED


async def test_operation_that_fails_leaves_no_entry(books: SqliteStorage, ada: User) -> None:
    await users.create(books, name="bob", email="bob@example.org", role=ada.role, postpaid=False)
    with pytest.raises(ConflictError):
        await users.update(audited(books), ada.public_id, email="bob@example.org")
    assert await audit.page(books) == []


async def test_reading_and_rehearsing_leave_no_entry(books: SqliteStorage, ada: User) -> None:
    storage = audited(books)
    await users.show(storage, ada.public_id)
    async with storage.snapshot() as unit:
        assert await unit.users.get(ada.id) == ada
    await users.update(storage.rehearsal(), ada.public_id, name="eve")
    assert (await storage.changes(0)).users == (ada,)
    assert await audit.page(books) == [] and await audit.verify(books) == VerifiedAudit(0, None)


async def test_whole_chain_is_verified_and_a_change_or_a_gap_is_found(books: SqliteStorage, ada: User) -> None:
    for _ in range(5):
        await users.update(audited(books), ada.public_id, status=UserStatus.DISABLED)
    assert await audit.verify(books) == VerifiedAudit(5, None)
    database: Database = books._database
    connection = database.connect()
    connection.execute("DROP TRIGGER audit_is_not_changed")
    connection.execute("DROP TRIGGER audit_is_not_deleted")
    connection.execute("UPDATE audit SET actor = 'acc_mal' WHERE id = 4")
    assert await audit.verify(books) == VerifiedAudit(4, 4)
    connection.execute("UPDATE audit SET actor = 'acc_eve' WHERE id = 4")
    assert await audit.verify(books) == VerifiedAudit(5, None)
    connection.execute("DELETE FROM audit WHERE id = 2")
    connection.close()
    assert await audit.verify(books) == VerifiedAudit(2, 3)


async def test_audit_pages_follow_each_other(books: SqliteStorage, ada: User) -> None:
    for _ in range(3):
        await users.update(audited(books), ada.public_id, status=UserStatus.DISABLED)
    assert [entry.id for entry in await audit.page(books, limit=2)] == [3, 2]
    assert [entry.id for entry in await audit.page(books, before=2, limit=2)] == [1]


async def test_operation_that_changes_nothing_leaves_no_entry(books: SqliteStorage, ada: User) -> None:
    storage = AuditedStorage(books, "acc_eve", AuditAction.ADD_BALANCE, ada.public_id)
    assert await balance.add(storage, ada.public_id, 5, reference="pay-1")
    assert not await balance.add(storage, ada.public_id, 5, reference="pay-1")
    assert len(await audit.page(books)) == 1
