from __future__ import annotations

import pytest
from support.principals import entered

from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import audit
from softix_proxy.operations.accounts.audit import AuditFilter, VerifiedAudit
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def toggle(books: SqliteStorage, user: User, times: int) -> None:
    """Disables and enables a user in turn, and writes one entry each time."""
    for number in range(times):
        status = (UserStatus.DISABLED, UserStatus.ACTIVE)[number % 2]
        name = ("users.disable", "users.enable")[number % 2]
        await users.update(await entered(books, name), user.public_id, status=status)


async def test_whole_chain_is_verified_and_a_change_or_a_gap_is_found(books: SqliteStorage, ada: User) -> None:
    await toggle(books, ada, 5)
    assert await audit.verify(books) == VerifiedAudit(5, None)
    database: Database = books._database
    connection = database.connect()
    connection.execute("DROP TRIGGER audit_is_not_changed")
    connection.execute("DROP TRIGGER audit_is_not_deleted")
    for column, forged in (("actor", "acc_mal"), ("changes", "[]"), ("outcome", "refused"), ("version", 1)):
        [(true,)] = connection.execute(f"SELECT {column} FROM audit WHERE id = 4").fetchall()
        connection.execute(f"UPDATE audit SET {column} = ? WHERE id = 4", (forged,))
        assert await audit.verify(books) == VerifiedAudit(4, 4), column
        connection.execute(f"UPDATE audit SET {column} = ? WHERE id = 4", (true,))
        assert await audit.verify(books) == VerifiedAudit(5, None)
    connection.execute("DELETE FROM audit WHERE id = 2")
    connection.close()
    assert await audit.verify(books) == VerifiedAudit(2, 3)


async def test_audit_pages_follow_each_other(books: SqliteStorage, ada: User) -> None:
    await toggle(books, ada, 3)
    assert [entry.id for entry in await audit.page(books, limit=2)] == [3, 2]
    assert [entry.id for entry in await audit.page(books, before=2, limit=2)] == [1]


async def test_entries_are_found_by_who_what_whom_and_when(books: SqliteStorage, ada: User) -> None:
    await toggle(books, ada, 3)
    at_us = books.reading().clock.now_us()
    for wanted, numbers in (
        (AuditFilter(actor="uid:1000"), [3, 2, 1]),
        (AuditFilter(actor="uid:1"), []),
        (AuditFilter(action="users.enable"), [2]),
        (AuditFilter(action="users"), [3, 2, 1]),
        (AuditFilter(action="use"), []),
        (AuditFilter(subject=ada.public_id), [3, 2, 1]),
        (AuditFilter(subject="usr_none"), []),
        (AuditFilter(from_us=at_us), [3, 2, 1]),
        (AuditFilter(from_us=at_us + 1), []),
        (AuditFilter(to_us=at_us), []),
    ):
        assert [entry.id for entry in await audit.page(books, wanted=wanted)] == numbers, wanted
        followed = [entry.id async for entry in audit.follow(books, 0, wanted)]
        assert followed == sorted(numbers), wanted


async def test_entries_are_followed_from_a_number_on(books: SqliteStorage, ada: User) -> None:
    await toggle(books, ada, 3)
    assert [entry.id async for entry in audit.follow(books, 1)] == [2, 3]
    assert [entry.id async for entry in audit.follow(books, 3)] == []


async def test_entry_is_shown_by_its_number(books: SqliteStorage, ada: User) -> None:
    await toggle(books, ada, 1)
    assert [await audit.show(books, 1)] == await audit.page(books)
    with pytest.raises(NotFoundError):
        await audit.show(books, 2)
