from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.accounts.audit import AuditChange
from softix_proxy.storage.sqlite.accounts.audited_changes import audited_changes
from softix_proxy.storage.sqlite.accounts.audited_tables import AUDITED
from softix_proxy.storage.sqlite.core.database import Database, DatabaseSession

USER = "INSERT INTO users (id, public_id, name, email, role, created_at_us) VALUES (?, ?, ?, ?, 'user', 1)"
KEY = (
    "INSERT INTO keys (public_id, user_id, prefix, digest, created_at_us, rpm, label) "
    "VALUES (?, ?, 'sx', ?, 1, ?, 'ci')"
)


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[DatabaseSession]:
    """A transaction over a database with the user `ada` and her key `key_old`."""
    database = Database(tmp_path / "softix.db", StoppedClock())
    database.create()
    await database.open()
    async with database.transaction() as before:
        await before.run(USER, 7, "usr_ada", "ada", "ada@example.org")
        await before.run(KEY, "key_old", 7, b"old", 5)
    async with database.transaction(recorded=AUDITED) as session:
        yield session
    await database.close()


async def changes(session: DatabaseSession) -> list[AuditChange]:
    return list(await audited_changes(session, await session.recorded()))


async def test_added_row_is_told_by_its_id_and_what_it_refers_to(session: DatabaseSession) -> None:
    await session.run(KEY, "key_new", 7, b"new", 6)
    [change] = await changes(session)
    assert (change.kind, change.id, change.before, change.hidden) == ("key", "key_new", None, ())
    assert change.after is not None and (change.after["user_id"], change.after["rpm"]) == ("usr_ada", 6)
    assert not {"tpm", "label", "digest", "prefix", "id"} & change.after.keys()


async def test_changed_row_is_told_with_its_values_before_and_after(session: DatabaseSession) -> None:
    await session.run("UPDATE keys SET rpm = NULL, label = 'of my dog' WHERE public_id = 'key_old'")
    assert await changes(session) == [AuditChange("key", "key_old", {"rpm": 5}, {"rpm": None}, ("label",))]


async def test_removed_row_is_told_with_what_it_had(session: DatabaseSession) -> None:
    await session.run("DELETE FROM keys WHERE public_id = 'key_old'")
    [change] = await changes(session)
    assert (change.id, change.after) == ("key_old", None)
    assert change.before is not None and change.before["user_id"] == "usr_ada"


async def test_change_of_nothing_that_somebody_does_is_not_told(session: DatabaseSession) -> None:
    await session.run("UPDATE keys SET created_at_us = 9 WHERE public_id = 'key_old'")
    await session.run("INSERT INTO throttles (rule, subject, tat_us) VALUES ('a', 'b', 1)")
    assert await changes(session) == []


async def test_beyond_a_thousand_changes_the_rest_is_counted(session: DatabaseSession) -> None:
    for number in range(1003):
        await session.run(KEY, f"key_{number}", 7, str(number).encode(), 1)
    found = await changes(session)
    assert len(found) == 1001 and found[-1] == AuditChange("key", "", None, {"further": 3})


async def test_session_that_records_nothing_says_so(session: DatabaseSession, tmp_path: Path) -> None:
    database = await Database(tmp_path / "softix.db", StoppedClock()).open()
    with pytest.raises(RuntimeError, match="records no changes"):
        await database.session.recorded()
    await database.close()
