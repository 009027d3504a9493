"""Closed periods: what they keep, and that nothing is posted into them, whatever the clock says."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import CASH, Transfer
from softix_proxy.domain.ledger.periods import ClosedPeriod, PeriodSum
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.ledger import periods
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="hashes its rows, and reads in portions")

ALL = Span(0, NOW_US + 1_000_000)
LATER = Span(NOW_US, NOW_US + 1_000_000)


@pytest.fixture(params=[1, 3, 4000])
async def database(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """Two top-ups, and five requests of two users; read in portions."""
    monkeypatch.setattr(periods, "_AT_ONCE", request.param)
    database = make_database(tmp_path)
    connection = database.connect()
    post(
        connection,
        [make_settlement(make_intent(n, 0, user=1 + n % 2), charge_pico=n * 10, cost_pico=n) for n in range(5)],
        NOW_US,
    )
    connection.close()
    yield await database.open()
    await database.close()


@pytest.fixture
def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


async def close(storage: SqliteStorage, label: str, span: Span) -> ClosedPeriod:
    contents = await storage.reading().periods.contents(span)
    async with storage.writing() as unit:
        return await unit.periods.add(
            ClosedPeriod(0, label, "UTC", span, span.to_us, contents.sums, contents.rows_sha256)
        )


def line(row: tuple[object, ...]) -> str:
    values = list(row)
    while values[-1] is None:
        del values[-1]
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)[:-1] + "\n"


async def test_period_contents_have_the_sums_of_each_user(storage: SqliteStorage) -> None:
    contents = await storage.reading().periods.contents(ALL)
    assert contents.sums == (
        PeriodSum(1, "usr_ada", "ada", 3, 6, 60, POSTED_PICO),
        PeriodSum(2, "usr_bob", "bob", 2, 4, 40, POSTED_PICO),
    )
    assert contents.last_us == NOW_US + 4
    later = await storage.reading().periods.contents(LATER)
    assert [one.paid_in_pico for one in later.sums] == [0, 0] and later.rows_sha256 != contents.rows_sha256


async def test_period_hash_is_that_of_its_rows_as_json(storage: SqliteStorage, database: Database) -> None:
    connection = database.connect()
    rows = connection.execute("SELECT * FROM usage ORDER BY id").fetchall()
    rows += connection.execute("SELECT * FROM transfers WHERE kind <> 'charge' ORDER BY id").fetchall()
    connection.close()
    expected = sha256("".join(map(line, rows)).encode()).digest()
    assert (await storage.reading().periods.contents(ALL)).rows_sha256 == expected


async def test_hashed_columns_are_all_columns_in_the_order_of_the_table(database: Database) -> None:
    """So that a migration that adds one adds it there too, at the end."""
    for table, hashed in periods.HASHED.items():
        columns = await database.session.all("SELECT name FROM pragma_table_info(?) ORDER BY cid", table)
        assert [name for (name,) in columns] == list(hashed)


async def test_period_contents_after_an_added_column_are_unchanged(storage: SqliteStorage, database: Database) -> None:
    before = await storage.reading().periods.contents(ALL)
    connection = database.connect()
    connection.execute("ALTER TABLE usage ADD COLUMN video_seconds INTEGER")
    connection.close()
    assert await storage.reading().periods.contents(ALL) == before


async def test_period_contents_of_an_empty_span_have_no_sums(storage: SqliteStorage) -> None:
    contents = await storage.reading().periods.contents(Span(10, 20))
    assert (contents.sums, contents.rows_sha256, contents.last_us) == ((), sha256(b"").digest(), None)
    assert await storage.reading().periods.first_posted_us() == 1


async def test_closed_periods_are_listed_in_order_and_found_by_label(storage: SqliteStorage) -> None:
    later = await close(storage, "later", LATER)
    first = await close(storage, "first", Span(0, NOW_US))
    reading = storage.reading()
    assert await reading.periods.list() == [first, later]
    assert await reading.periods.find("later") == later and await reading.periods.find("no") is None
    assert (later.rows, later.charge_pico, later.cost_pico, later.paid_in_pico) == (5, 100, 10, 0)
    assert (first.rows, first.paid_in_pico) == (0, 2 * POSTED_PICO)


async def test_period_that_overlaps_or_is_changed_is_refused(storage: SqliteStorage, database: Database) -> None:
    await close(storage, "first", ALL)
    for label, span in (("second", LATER), ("second", Span(0, 5)), ("first", Span(ALL.to_us, ALL.to_us + 5))):
        with pytest.raises(ConflictError):
            await close(storage, label, span)
    for statement in ("UPDATE periods SET label = 'x'", "DELETE FROM periods"):
        with pytest.raises(Exception, match="append-only"):
            database.connect().execute(statement)


async def test_posting_while_the_clock_is_in_a_closed_period_is_dated_after_its_end(
    storage: SqliteStorage, database: Database
) -> None:
    """The clock stands within it; requests, top-ups and corrections come after its end all the same."""
    before = await close(storage, "all", ALL)
    async with storage.writing() as unit:
        topped_up = await unit.ledger.post(Transfer(0, CASH, 1, 500, "top-up"))
    connection = database.connect()
    post(connection, [make_settlement(make_intent(9, 0))], NOW_US)
    connection.close()
    assert topped_up.id == ALL.to_us
    assert [row.id for row in await storage.reading().usage.newest(UsageFilter(), 1)] == [ALL.to_us + 1]
    contents = await storage.reading().periods.contents(ALL)
    assert (contents.sums, contents.rows_sha256) == (before.sums, before.rows_sha256)


async def test_period_sums_beyond_64_bits_are_exact(storage: SqliteStorage, database: Database) -> None:
    much, days = 2**62, 4
    connection = database.connect()
    for day in range(1, days + 1):
        costly = make_settlement(make_intent(10 + day, 0, hold_pico=0), charge_pico=0, cost_pico=much)
        post(connection, [costly], NOW_US + day * DAY_US)
    connection.close()
    closed = await close(storage, "all", Span(NOW_US + DAY_US, NOW_US + 9 * DAY_US))
    assert closed.cost_pico == days * much
    assert [one.cost_pico for one in await storage.reading().periods.list()] == [days * much]


async def test_period_that_ends_before_it_begins_is_refused(storage: SqliteStorage) -> None:
    with pytest.raises(ConflictError):
        await close(storage, "backwards", Span(20, 10))
