import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from support.books import POSTED_PICO, USD, StoppedClock, make_database, make_intent, revision

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.jobs import recovery
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path import orphans
from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal

WAIT_S = 10


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await make_database(tmp_path).open()
    yield database
    await database.close()


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[SqliteJournal]:
    """With three requests that were never settled."""
    journal = SqliteJournal(database, 0, StoppedClock())
    connection = database.connect()
    intents = [make_intent(n, revision(connection), user=1 + n % 2) for n in range(1, 4)]
    connection.close()
    await asyncio.gather(*(journal.admit(intent) for intent in intents))
    yield journal
    await journal.close()


@pytest.mark.parametrize(("charge", "each_pico"), [("nothing", 0), ("bound", USD)])
async def test_recovery_writes_a_row_for_each_orphan_and_leaves_no_hold(
    database: Database, journal: SqliteJournal, charge: str, each_pico: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_AT_ONCE", 2)
    for closed in (3, 0):
        assert await recovery.close_orphans(journal, charge, at_start=True) == closed  # type: ignore[arg-type]
    rows = await database.session.all("SELECT source, error, status_code, charge_pico, hold_pico FROM usage")
    assert rows == [("interrupted", "interrupted", 503, each_pico, USD)] * 3
    wallets = await database.session.all("SELECT posted_pico, held_pico FROM wallets ORDER BY user_id")
    assert wallets == [(POSTED_PICO - each_pico, 0), (POSTED_PICO - 2 * each_pico, 0)]
    async with SqliteStorage(database).snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()


async def test_recovery_watch_continues_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    looked_again = asyncio.Event()

    class Failing:
        async def orphans(self, *, at_start: bool) -> Sequence[Orphan]:
            nonlocal looks
            looks += 1
            assert not at_start
            if looks > 2:
                looked_again.set()
            raise FailureError("the database is locked", "try again")

    monkeypatch.setattr(recovery, "_LOOK_EVERY_S", 0)
    task = asyncio.create_task(recovery.watch(Failing(), "nothing"))  # type: ignore[arg-type]
    await asyncio.wait_for(looked_again.wait(), WAIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
