import random
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.calendar import Calendar, date_of
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, parse_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.operations.ledger import corrections, ledger
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.metering import rollups
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.statements import DAILY_PLACE, DAILY_SUMS

HOUR_US = 3600 * SECOND_US
NOW_US = parse_instant("2026-11-30T23:15:00Z")
ZONES = ("Europe/Berlin", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW_US)


@pytest.fixture
async def database(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Database]:
    """Requests of two users at odd hours of ten weeks, over the end of summer time; the last one is now."""
    made = make_database(tmp_path, clock)
    connection = made.connect()
    chance = random.Random(5)
    instants = sorted({NOW_US - chance.randrange(70 * DAY_US) for _ in range(150)} | {NOW_US})
    for number, instant_us in enumerate(instants, 1):
        intent = make_intent(number, 0, user=1 + number % 2)
        post(connection, [make_settlement(intent, charge_pico=1 + number)], instant_us)
    connection.close()
    database = await made.open()
    yield database
    await database.close()


@pytest.fixture
def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


async def days(storage: SqliteStorage, by: Calendar) -> dict[str, int]:
    totals = await storage.reading().usage.totals("day", 0, 10**6, by)
    return {total.id: total.charge_pico for total in totals}


def counted(database: Database, by: Calendar) -> dict[str, int]:
    """From the rows, by the calendar's word for each."""
    found: dict[str, int] = {}
    connection = database.connect()
    for number, charge_pico in connection.execute("SELECT id, charge_pico FROM usage ORDER BY id"):
        day = date_of(by.day(number)).isoformat()
        found[day] = found.get(day, 0) + charge_pico
    connection.close()
    return found


@pytest.mark.parametrize("zone", ZONES)
async def test_daily_totals_in_another_zone_are_the_sums_of_the_rows(
    storage: SqliteStorage, database: Database, zone: str
) -> None:
    before = await days(storage, Calendar("UTC"))
    assert await days(storage, Calendar(zone)) == counted(database, Calendar(zone))
    assert await days(storage, Calendar("UTC")) == before, "what is kept stays as it is"


@pytest.mark.parametrize("zone", ZONES)
async def test_totals_by_subject_in_another_zone_equal_the_stored_totals(storage: SqliteStorage, zone: str) -> None:
    usage, at = storage.reading().usage, Calendar(zone)
    for by in ("user", "key", "model", "provider"):
        totals = await usage.totals(by, 0, 10**6, at)  # type: ignore[arg-type]
        kept = await usage.totals(by, 0, 10**6, Calendar("UTC"))  # type: ignore[arg-type]
        assert totals == kept
        trends = await usage.trends(by, 0, 10**6, at, 9)  # type: ignore[arg-type]
        assert {subject: sum(one.charge_pico for one in trend.values()) for subject, trend in trends.items()} == {
            total.id: total.charge_pico for total in totals
        }


@pytest.mark.parametrize("zone", ZONES)
async def test_daily_totals_after_a_change_of_zone_include_old_and_new_rows(
    storage: SqliteStorage, database: Database, clock: StoppedClock, zone: str
) -> None:
    async with storage.writing() as unit:
        assert await unit.usage.change_zone(zone)
    assert (await storage.reading().instance.calendar()).name == zone
    connection = database.connect()
    clock.us += 2 * HOUR_US
    post(connection, [make_settlement(make_intent(1000, 0), charge_pico=7)], clock.us)
    connection.close()
    assert await days(storage, Calendar(zone)) == counted(database, Calendar(zone))
    assert await days(storage, Calendar("UTC")) == counted(database, Calendar("UTC"))
    assert (await ledger.verify(storage)).violations == ()
    async with storage.writing() as unit:
        assert not await unit.usage.change_zone(zone)


async def test_key_spend_after_a_change_of_zone_is_the_sum_of_the_rows_of_its_periods(
    storage: SqliteStorage, database: Database
) -> None:
    at = Calendar("Asia/Kolkata").at(NOW_US)
    assert date_of(at.day).isoformat() == "2026-12-01"
    async with storage.writing() as unit:
        await unit.usage.change_zone("Asia/Kolkata")
    connection = database.connect()
    for key_id in (1, 2):
        spend = await storage.reading().keys.spend(key_id)
        for period in ("day", "week", "month", "total"):
            [(charged,)] = connection.execute(
                "SELECT coalesce(sum(charge_pico), 0) FROM usage WHERE key_id = ? AND id >= ?",
                (key_id, at.start_us(period)),  # type: ignore[arg-type]
            )
            assert spend.of(period) == charged  # type: ignore[arg-type]
    connection.close()


async def test_rotated_key_after_a_change_of_zone_has_the_spend_of_the_previous_key(
    storage: SqliteStorage, database: Database, clock: StoppedClock
) -> None:
    connection = database.connect()
    connection.execute(
        "INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us, rotated_from)"
        " VALUES (3, 'key_new', 1, '', 'sx_live_cccc', x'03', ?, 1)",
        (NOW_US + 1,),
    )
    connection.execute("INSERT INTO key_states SELECT 3, 0, 0, 0, 0, spent_at_us, 0, 0, 0, 0 FROM key_states LIMIT 1")
    connection.close()
    before = (await storage.reading().keys.spend(1)).month_pico
    async with storage.writing() as unit:
        await unit.usage.change_zone("America/New_York")
    assert (await storage.reading().keys.spend(3)).month_pico == (await storage.reading().keys.spend(1)).month_pico
    assert before > 0


async def test_correction_after_a_change_of_zone_is_counted_on_the_day_of_the_zone(
    storage: SqliteStorage, database: Database, clock: StoppedClock
) -> None:
    async with storage.writing() as unit:
        await unit.usage.change_zone("Asia/Kolkata")
    [row] = await storage.reading().usage.newest(UsageFilter(), 1)
    await corrections.Corrections(storage, "wrong").set_charge(format_request_id(row.request_id), 0)
    assert await days(storage, Calendar("Asia/Kolkata")) == counted(database, Calendar("Asia/Kolkata"))
    assert (await ledger.verify(storage)).violations == ()


async def test_portions_of_a_calendar_contain_every_row_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "_END", rollups._END.replace("100000", "7"))
    at = Calendar("Europe/Berlin")
    portions = [one async for one in rollups.portions(database.session, at, Span(0, 2**63 - 1))]
    assert len(portions) > 20 and all(one.to_us <= other.from_us for one, other in pairwise(portions))
    rows = [row for portion in portions for row in await rollups.by_day(database.session, portion)]
    connection = database.connect()
    requests = len(DAILY_PLACE) + DAILY_SUMS.index("requests")
    counted = connection.execute("SELECT count(*) FROM usage").fetchone()[0]
    assert sum(row[requests] for row in rows) == counted
    connection.close()


async def test_rollups_without_rows_return_no_totals(tmp_path: Path) -> None:
    empty = await make_database(tmp_path, StoppedClock(NOW_US)).open()
    assert [one async for one in rollups.portions(empty.session, Calendar("UTC"), Span(0, 9))] == []
    async with SqliteStorage(empty).writing() as unit:
        assert await unit.usage.change_zone("Europe/Berlin")
    assert await SqliteStorage(empty).reading().usage.totals("day", 0, 10**6, Calendar("Asia/Kolkata")) == []
    await empty.close()
