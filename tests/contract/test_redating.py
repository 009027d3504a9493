"""A clock that was a year ahead for two seconds, and what `softix ledger redate` makes of it, on real books."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import POSTED_PICO, USD, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import RedatedPosting
from softix_proxy.domain.metering.usage import UsageFilter, UsageSource
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.ledger import balance, corrections, ledger, periods, redating
from softix_proxy.operations.metering import usage
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="posts on its connection, at any time of the clock")

NOW_US = parse_instant("2026-11-30T23:59:58Z")
YEAR_US = 365 * DAY_US
NOVEMBER, NEXT_NOVEMBER = ("2026-11-01", "2026-12-01"), ("2027-11-01", "2027-12-01")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW_US)


@pytest.fixture
async def database(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, clock).open()
    yield database
    await database.close()


@pytest.fixture
async def storage(database: Database, clock: StoppedClock) -> SqliteStorage:
    """Two requests before, two and a top-up while the clock was ahead, one after."""
    storage = SqliteStorage(database)
    connection = database.connect()

    def request(number: int, charge_pico: int) -> None:
        clock.us += 1000
        post(connection, [make_settlement(make_intent(number, 0), charge_pico=charge_pico)], clock.us)

    request(1, 1 * USD)
    request(2, 2 * USD)
    clock.us += YEAR_US
    request(3, 3 * USD)
    request(4, 0)
    await balance.add(storage, "bob@example.org", 5 * USD, reference="bank 7")
    clock.us -= YEAR_US - SECOND_US
    request(5, 5 * USD)
    connection.close()
    return storage


async def charged(storage: SqliteStorage, month: tuple[str, str]) -> tuple[int, int, int]:
    """(Charge, input tokens, and what was paid in) of a month, from the sums and as an export has it."""
    summary = await usage.summary(storage, "user", *month)
    span = usage.parse_span(*month)
    exported = [sums async for sums in storage.reading().usage.sums(span, None)]
    charge_pico = sum(one.charge_pico for one in summary.totals)
    assert charge_pico == sum(user.charge_pico for sums in exported for user in sums.by_user)
    paid = sum(one.amount_pico for one in await storage.reading().bill.payments(span, None))
    return charge_pico, sum(one.input_tokens for one in summary.totals), paid


async def redate(
    storage: SqliteStorage, span: Span | None = None, ahead_us: int | None = None, *, dry: bool = False
) -> list[RedatedPosting]:
    return [one async for one in redating.run(storage, span, ahead_us, note="the clock was wrong", dry=dry)]


async def test_rows_posted_while_the_clock_was_ahead_have_wrong_dates(storage: SqliteStorage) -> None:
    assert await charged(storage, NOVEMBER) == (8 * USD, 9, 0)
    assert await charged(storage, NEXT_NOVEMBER) == (3 * USD, 6, 5 * USD)


async def test_redating_books_misdated_rows_at_their_time_and_moves_nothing_else(
    storage: SqliteStorage,
) -> None:
    wallets = [(await balance.show(storage, user)).posted_pico for user in ("ada", "bob")]
    found = await redate(storage, ahead_us=YEAR_US)
    assert [(one.misdated.kind, one.misdated.amount_pico) for one in found] == [
        ("usage", 3 * USD),
        ("usage", 0),
        ("top-up", 5 * USD),
    ]
    assert await charged(storage, NOVEMBER) == (11 * USD, 15, 5 * USD)
    assert await charged(storage, NEXT_NOVEMBER) == (0, 0, 0)
    assert (await ledger.verify(storage)).violations == ()
    assert wallets == [(await balance.show(storage, user)).posted_pico for user in ("ada", "bob")]
    assert wallets == [POSTED_PICO - 11 * USD, POSTED_PICO + 5 * USD]
    [booked] = await balance.history(storage, "bob", 1)
    assert str(booked.note).endswith("the clock was wrong")
    assert (await storage.reading().keys.spend(1)).total_pico == 11 * USD


async def test_redating_a_second_time_changes_nothing(storage: SqliteStorage, database: Database) -> None:
    await redate(storage, ahead_us=YEAR_US)
    before = await charged(storage, NOVEMBER)
    assert await redate(storage, ahead_us=YEAR_US) == []
    assert await redate(storage) == []
    assert await charged(storage, NOVEMBER) == before


async def test_redating_as_a_dry_run_reports_the_same_and_posts_nothing(storage: SqliteStorage) -> None:
    told = await redate(storage, ahead_us=YEAR_US, dry=True)
    assert await charged(storage, NEXT_NOVEMBER) == (3 * USD, 6, 5 * USD)
    assert told == await redate(storage, ahead_us=YEAR_US)


async def test_redating_without_a_known_lead_books_as_of_now(storage: SqliteStorage, clock: StoppedClock) -> None:
    clock.us += 5 * DAY_US
    await redate(storage)
    assert await charged(storage, NOVEMBER) == (8 * USD, 9, 0)
    assert await charged(storage, ("2026-12-01", "2027-01-01")) == (3 * USD, 6, 5 * USD)
    assert (await ledger.verify(storage)).violations == ()


async def test_redating_to_a_number_that_is_taken_books_at_the_next_one(
    storage: SqliteStorage, database: Database, clock: StoppedClock
) -> None:
    connection = database.connect()
    [(number,)] = connection.execute("SELECT id FROM usage WHERE request_id = 3")
    [(taken,)] = connection.execute("SELECT id FROM usage WHERE request_id = 5")
    connection.close()
    clock.us += SECOND_US
    await redate(storage, ahead_us=number - taken)
    assert (await ledger.verify(storage)).violations == ()
    [booked] = [
        row for row in await usage.newest(storage, limit=100) if row.corrects_row_id == number and row.charge_pico > 0
    ]
    assert booked.id == taken + 1 and booked.source is UsageSource.CORRECTION


async def test_redating_leaves_a_closed_period_unchanged(storage: SqliteStorage, clock: StoppedClock) -> None:
    clock.us += 5 * DAY_US
    await periods.close(storage, periods.asked("2026-11", None, None, "UTC"))
    found = await redate(storage, ahead_us=YEAR_US)
    assert len(found) == 3 and (await ledger.verify(storage)).violations == ()
    assert await charged(storage, NOVEMBER) == (8 * USD, 9, 0), "it is closed"
    assert await charged(storage, ("2026-12-01", "2027-01-01")) == (3 * USD, 6, 5 * USD)
    closed = usage.parse_span("2026-11-01", "2026-11-30")
    assert await redate(storage, closed) == []
    kept = await redate(storage, usage.parse_span(*NOVEMBER))
    assert {one.booked_us for one in kept} == {None} and len(kept) == 3


async def test_redating_of_rows_posted_too_early_selects_them_by_their_time(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    clock.us += 40 * DAY_US
    found = await redate(storage, usage.parse_span(*NOVEMBER))
    assert [one.misdated.amount_pico for one in found] == [1 * USD, 2 * USD, 5 * USD]
    assert await charged(storage, NOVEMBER) == (0, 0, 0)
    assert await charged(storage, ("2027-01-01", "2027-02-01")) == (8 * USD, 9, 0)
    assert await redate(storage, usage.parse_span(*NOVEMBER)) == []
    assert (await ledger.verify(storage)).violations == ()


async def test_redating_includes_a_correction_posted_by_the_wrong_clock(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    clock.us += YEAR_US
    await corrections.Corrections(storage, "half").set_charge(format_request_id(2), USD)
    clock.us -= YEAR_US - SECOND_US
    await redate(storage, ahead_us=YEAR_US)
    assert await charged(storage, NEXT_NOVEMBER) == (0, 0, 0)
    assert (await charged(storage, NOVEMBER))[0] == 10 * USD
    assert (await ledger.verify(storage)).violations == ()


async def test_redated_row_is_explained_and_can_be_corrected(storage: SqliteStorage) -> None:
    await redate(storage, ahead_us=YEAR_US)
    explained = await usage.explain(storage, format_request_id(3))
    assert explained.final_pico == 3 * USD and len(explained.corrections) == 2
    for correction in explained.corrections:
        assert (await usage.explain(storage, format_request_id(correction.request_id))).agrees
    done = await corrections.Corrections(storage, "free").set_charge(format_request_id(3), 0)
    assert (done.before_pico, done.after_pico) == (3 * USD, 0)
    assert (await ledger.verify(storage)).violations == ()


async def test_redating_with_another_zone_corrects_the_days_of_that_zone(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        await unit.usage.change_zone("Asia/Kolkata")
    await redate(storage, ahead_us=YEAR_US)
    totals = await storage.reading().usage.totals("day", 0, 10**6, Calendar("Asia/Kolkata"))
    assert {total.id: total.charge_pico for total in totals if total.charge_pico} == {"2026-12-01": 11 * USD}
    assert (await ledger.verify(storage)).violations == ()


async def test_redating_with_a_note_that_is_not_one_line_is_refused(storage: SqliteStorage) -> None:
    for note in ("", "a\nb", "x" * 101):
        with pytest.raises(BadInputError, match="a note is one line"):
            [one async for one in redating.run(storage, None, None, note=note, dry=True)]
    assert len(await storage.reading().usage.newest(UsageFilter(), 100)) == 5


async def test_redating_of_rows_of_today_books_them_today(storage: SqliteStorage) -> None:
    """What is taken back and what is booked have numbers of their own, though both follow the newest row."""
    found = await redate(storage, usage.parse_span(*NOVEMBER))
    assert [one.misdated.amount_pico for one in found] == [1 * USD, 2 * USD, 5 * USD]
    assert (await ledger.verify(storage)).violations == ()
    assert await redate(storage, usage.parse_span(*NOVEMBER)) == []


async def test_correction_after_redating_is_explained_by_what_was_posted_before(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]}))
    await redate(storage, ahead_us=YEAR_US)
    done = await corrections.Corrections(storage, "a price").reprice(format_request_id(3))
    assert done.correction is not None
    explained = await usage.explain(storage, format_request_id(done.correction.request_id))
    assert explained.agrees and not explained.stated and explained.earlier_pico == 3 * USD


async def test_redating_keeps_the_price_version_of_the_cost(storage: SqliteStorage, clock: StoppedClock) -> None:
    for price in ("1", "2"):
        clock.us += SECOND_US
        await prices.set_price(
            storage, "llama", PriceSheet.parse({"bands": [{"prices": {"input": price, "output": "2"}}]})
        )
        done = await corrections.Corrections(storage, "a price").reprice(format_request_id(3))
    await redate(storage, ahead_us=YEAR_US)
    again = await corrections.Corrections(storage, "agreed").set_charge(format_request_id(3), USD)
    assert done.correction is not None and again.correction is not None
    row, costs = (await usage.explain(storage, format_request_id(3))).row, again.correction.cost_price_id
    assert (row.price_id, again.correction.price_id, costs) == (None, None, done.correction.price_id)


async def test_daily_costs_after_redating_have_the_correction_on_the_day_of_its_request(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    """Whether the correction was posted by the wrong clock too, or after the request was redated."""

    async def costs() -> dict[int, int]:
        found = [cost async for cost in storage.reading().usage.daily_costs("lab", 0, 10**6)]
        days = {cost.day for cost in found}
        return {day: pico for day in days if (pico := sum(one.cost_pico for one in found if one.day == day))}

    today = NOW_US // DAY_US
    assert await costs() == {today: 8 * USD, today + 365: 3 * USD}
    await prices.set_price(storage, "llama", PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]}))
    price_pico = 11 * 10**6
    clock.us += YEAR_US
    await corrections.Corrections(storage, "a price").reprice(format_request_id(1))
    clock.us -= YEAR_US - SECOND_US
    await redate(storage, ahead_us=YEAR_US)
    await corrections.Corrections(storage, "a price").reprice(format_request_id(3))
    assert await costs() == {today: 7 * USD + 2 * price_pico}


async def test_key_spend_after_a_change_of_zone_leaves_out_a_redated_day_that_is_over(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    """When what keys have spent is counted anew from the rows, because the zone is another."""
    await redate(storage, ahead_us=YEAR_US)
    clock.us += 2 * DAY_US
    async with storage.writing() as unit:
        await unit.usage.change_zone("Europe/Berlin")
    spend = await storage.reading().keys.spend(1)
    assert (spend.day_pico, spend.week_pico, spend.total_pico) == (0, 11 * USD, 11 * USD)
