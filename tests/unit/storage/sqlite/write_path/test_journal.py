import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import POSTED_PICO, USD, StoppedClock, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.admission import Admitted, Denied, RateCheck
from softix_proxy.domain.metering.settlement import Settled
from softix_proxy.storage.sqlite.core import slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal, opened


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return make_database(tmp_path)


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(database, 0, StoppedClock())
    yield journal
    await journal.close()


@pytest.fixture
async def books(database: Database) -> AsyncIterator[SqliteConnection]:
    connection = database.connect()
    yield connection
    connection.close()


async def test_journal_opened_after_a_migration_by_another_process_is_refused(
    database: Database, books: SqliteConnection
) -> None:
    """It may have opened the database before, and have waited for the slot meanwhile."""
    await database.open()
    [(schema,)] = books.execute("PRAGMA user_version").fetchall()
    books.execute(f"PRAGMA user_version = {schema + 1}")
    with pytest.raises(FailureError, match="knows up to"):
        async with opened(database, StoppedClock()):
            raise AssertionError("it writes")
    assert slots.living(database.path) == ()
    await database.close()


async def test_journal_with_concurrent_requests_admits_and_settles_each_once(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    intents = [make_intent(n, revision(books)) for n in range(1, 9)]
    admitted = await asyncio.gather(*(journal.admit(intent) for intent in intents))
    assert all(isinstance(decision, Admitted) for decision in admitted)
    settled = await asyncio.gather(*(journal.settle(make_settlement(intent)) for intent in intents))
    assert len({one.usage_id for one in settled if one}) == 8
    first = settled[0]
    assert first is not None and first.charge_pico == USD // 4
    again = await journal.settle(make_settlement(intents[0]))
    assert again == Settled(first.usage_id, POSTED_PICO - 2 * USD, first.charge_pico)
    assert books.execute("SELECT count(*) FROM usage").fetchone() == (8,)
    assert journal.trouble() is None


async def test_admission_cancelled_while_waiting_for_the_writer_leaves_no_hold(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    books.execute("BEGIN IMMEDIATE")  # the writer waits for the lock
    task = asyncio.create_task(journal.admit(make_intent(1, revision(books))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    books.execute("ROLLBACK")
    await journal.admit(make_intent(2, revision(books)))
    await journal.close()
    assert books.execute("SELECT request_id FROM intents").fetchall() == [(2,)]
    assert books.execute("SELECT held_pico FROM wallets WHERE user_id = 1").fetchone() == (USD,)


async def test_admissions_of_one_event_loop_iteration_are_one_commit(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    intents = [make_intent(n, revision(books)) for n in range(1, 9)]
    await asyncio.gather(*(journal.admit(intent) for intent in intents))
    assert (journal.writer.tally.commits, journal.writer.tally.rows) == (1, 8)


async def test_admission_cancelled_before_it_reaches_the_writer_leaves_no_hold(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    task = asyncio.create_task(journal.admit(make_intent(1, revision(books))))
    asyncio.get_running_loop().call_soon(task.cancel)  # before what was asked for is handed over
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.close()
    assert books.execute("SELECT count(*) FROM intents").fetchone() == (0,)
    assert books.execute("SELECT held_pico FROM wallets WHERE user_id = 1").fetchone() == (0,)
    assert journal.writer.tally.rows == 2, "it was asked for, and taken back"


async def test_settlement_cancelled_while_waiting_is_written(journal: SqliteJournal, books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books))
    await journal.admit(intent)
    task = asyncio.create_task(journal.settle(make_settlement(intent)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.close()
    assert books.execute("SELECT request_id FROM usage").fetchall() == [(1,)]


async def test_unpriced_requests_of_a_model_are_counted(journal: SqliteJournal, books: SqliteConnection) -> None:
    for _ in range(3):
        journal.note_unpriced(1)
    await journal.close()
    assert books.execute("SELECT model_id, asks FROM unpriced_asks").fetchall() == [(1, 3)]


async def test_orphans_at_start_contain_the_requests_of_the_previous_slot_owner(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    await journal.admit(make_intent(1, revision(books)))
    [orphan] = await journal.orphans(at_start=True)
    assert (orphan.intent.request_id, orphan.hold_pico) == (1, USD)


async def test_journal_failure_of_the_database_hides_the_original_error(
    journal: SqliteJournal, database: Database
) -> None:
    database.path.rename(database.path.with_suffix(".gone"))
    database.path.mkdir()
    with pytest.raises(FailureError) as failure:
        await journal.orphans(at_start=True)
    assert failure.value.remedy and failure.value.__suppress_context__


async def test_journal_after_close_refuses_admissions_and_settlements(
    database: Database, books: SqliteConnection
) -> None:
    journal = SqliteJournal(database, 0, StoppedClock())
    intent = make_intent(1, revision(books))
    await journal.admit(intent)
    await journal.close()
    for asking in (journal.admit(make_intent(2, revision(books))), journal.settle(make_settlement(intent))):
        with pytest.raises(FailureError, match="closed"):
            await asking


async def test_journal_counts_reads_against_the_rate_and_writes_no_usage(
    journal: SqliteJournal, books: SqliteConnection
) -> None:
    check = RateCheck(1, 1, KeyLimits(rpm=2))
    decisions = await asyncio.gather(*(journal.count(check) for _ in range(3)))
    assert [isinstance(decision, Denied) for decision in decisions] == [False, False, True]
    intent = make_intent(1, revision(books), limits=KeyLimits(rpm=2))
    assert isinstance(await journal.admit(intent), Denied), "requests and reads share one rate"
    assert books.execute("SELECT (SELECT count(*) FROM usage), (SELECT count(*) FROM intents)").fetchone() == (0, 0)
