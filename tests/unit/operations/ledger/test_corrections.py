from __future__ import annotations

from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US, format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import Correction, UsageFilter, UsageRow, UsageSource
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.ledger import periods
from softix_proxy.operations.ledger.corrections import CorrectedRequest, Corrections
from softix_proxy.operations.metering import usage
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.unit import SqliteStorage

EVER = Span(0, 2**63 - 1)
CHARGED_PICO = 10**9
METERS = {"input_tokens": 1000}
"""At $2 a million they cost twice of what was charged."""


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    """Twelve requests of ada and one of bob, a day ago; one of ada's failed."""
    database = await make_database(tmp_path, clock).open()
    asked = [make_intent(number, 0, hold_pico=CHARGED_PICO, user=2 if number == 13 else 1) for number in range(1, 15)]
    settlements = [make_settlement(intent, charge_pico=CHARGED_PICO, meters=METERS) for intent in asked[:13]]
    settlements.append(
        make_settlement(asked[13], charge_pico=0, meters={}, source=UsageSource.NONE, error="provider_timeout")
    )
    connection = database.connect()
    post(connection, settlements, NOW_US - DAY_US)
    connection.close()
    yield SqliteStorage(database)
    await database.close()


def at(number: int) -> str:
    return format_request_id(number)


async def violations(storage: SqliteStorage) -> object:
    async with storage.snapshot() as unit:
        return (await unit.ledger.verify()).violations


async def test_correction_of_a_charge_posts_a_row_and_returns_the_money(storage: SqliteStorage) -> None:
    corrected = await Corrections(storage, "the answer was empty").set_charge(at(1), 0)
    row = corrected.correction
    assert row is not None and (row.source, row.corrects_row_id) == (UsageSource.CORRECTION, corrected.row.id)
    assert (row.charge_pico, row.cost_pico, row.note) == (-CHARGED_PICO, 0, "the answer was empty")
    assert row.id >= NOW_US, "in the open period"
    unit = storage.reading()
    assert (await unit.balance.get(1)).posted_pico == POSTED_PICO - 11 * CHARGED_PICO
    assert (await usage.explain(storage, at(1))).row == corrected.row, "what was posted stays"
    assert await violations(storage) == ()


async def test_correction_of_a_corrected_request_starts_from_the_corrected_charge(storage: SqliteStorage) -> None:
    corrections = Corrections(storage, "agreed")
    await corrections.set_charge(at(1), 3)
    again = await corrections.set_charge(at(1), 5)
    assert (again.before_pico, again.after_pico) == (3, 5)
    assert again.correction is not None and again.correction.charge_pico == 2
    assert (await corrections.set_charge(at(1), 5)).correction is None
    assert len(await storage.reading().usage.corrections(again.row.id)) == 2
    assert await violations(storage) == ()


async def test_corrections_of_two_processes_at_one_instant_get_different_ids(storage: SqliteStorage) -> None:
    """The clock stands still: both would say the same."""
    for number in (1, 2):
        assert (await Corrections(storage, "agreed").set_charge(at(number), 1)).correction is not None


async def test_repricing_of_a_period_corrects_each_request_once(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", PriceSheet.parse({"bands": [{"prices": {"input": "2.00"}}]}))
    corrections = Corrections(storage, "new price list")
    dry = [one async for one in corrections.reprice_all("llama", EVER, "ada", dry=True)]
    assert {(one.before_pico, one.after_pico, one.correction) for one in dry} == {(CHARGED_PICO, 2 * 10**9, None)}
    posted = [one async for one in corrections.reprice_all("llama", EVER, "ada", dry=False)]
    assert len(dry) == len(posted) == 12 and all(one.correction is not None for one in posted)
    again = [one async for one in corrections.reprice_all("llama", EVER, None, dry=False)]
    assert [one.row.request_id for one in again if one.correction] == [13], "only bob's was left"
    assert (await storage.reading().balance.get(1)).posted_pico == POSTED_PICO - 24 * 10**9
    assert await violations(storage) == ()
    [bob] = [one.correction for one in again if one.correction]
    assert bob.cost_pico == 10**9 and bob.price_id == 1


async def test_repricing_of_one_request_changes_the_summary(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", PriceSheet.parse({"free": True}))
    await Corrections(storage, "was free").reprice(at(13))
    totals = (await usage.summary(storage, "user", "1970-01-01", None)).totals
    bob = next(total for total in totals if total.name == "bob")
    assert (bob.requests, bob.charge_pico, bob.cost_pico) == (1, 0, 0)


async def test_repricing_of_a_request_with_failed_attempts_keeps_their_charge(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    failed = FailedAttempt(
        1, 1, None, Fraction(1), UsageSource.PARTIAL, 200, "provider_broke_off", 9, METERS, charge_pico=7
    )
    intent = make_intent(20, 0, user=2, hold_pico=CHARGED_PICO + 7)
    charged = make_settlement(
        intent, charge_pico=CHARGED_PICO + 7, cost_pico=CHARGED_PICO, meters=METERS, failed=(failed,)
    )
    connection = storage._database.connect()
    post(connection, [charged], clock.us)
    connection.close()
    await prices.set_price(storage, "llama", PriceSheet.parse({"bands": [{"prices": {"input": "2.00"}}]}))
    corrected = await Corrections(storage, "new price list").reprice(at(20))
    assert (corrected.before_pico, corrected.after_pico) == (CHARGED_PICO + 7, 2 * 10**9 + 7)
    assert corrected.correction is not None
    explained = await usage.explain(storage, format_request_id(corrected.correction.request_id))
    assert explained.agrees and not explained.stated and explained.attempts_pico == 7
    assert await violations(storage) == ()


async def test_usage_export_after_a_correction_contains_the_negative_row(storage: SqliteStorage) -> None:
    await Corrections(storage, "agreed").set_charge(at(1), 0)
    exported = await usage.export(storage, usage.FORMATS["csv"], EVER, None)
    text = b"".join([chunk.text async for chunk in exported.chunks]).decode()
    last = dict(zip(text.splitlines()[0].split(","), text.splitlines()[-1].split(","), strict=True))
    first_id = text.splitlines()[1].split(",")[0]
    assert (last["charge"], last["usage_source"], last["corrects_row_id"]) == ("-0.001", "correction", first_id)


async def test_key_spend_after_a_correction_is_lower(storage: SqliteStorage) -> None:
    await Corrections(storage, "agreed").set_charge(at(1), 0)
    spend = await storage.reading().keys.spend(1)
    assert (spend.total_pico, spend.day_pico) == (11 * CHARGED_PICO, 0), "it was charged on another day"


@pytest.mark.parametrize("charge_pico", [POSTED_PICO, 2 * POSTED_PICO])
async def test_correction_that_exceeds_a_prepaid_balance_is_refused(storage: SqliteStorage, charge_pico: int) -> None:
    with pytest.raises(ConflictError, match="does not cover"):
        await Corrections(storage, "agreed").set_charge(at(1), charge_pico)


async def test_correction_with_bad_input_is_refused(storage: SqliteStorage) -> None:
    for note in ("", "two\nlines", "x" * 201):
        with pytest.raises(BadInputError, match="a note"):
            Corrections(storage, note)
    corrections = Corrections(storage, "agreed")
    with pytest.raises(BadInputError, match="negative"):
        await corrections.set_charge(at(1), -1)
    with pytest.raises(NotFoundError):
        await corrections.set_charge(at(99), 1)
    with pytest.raises(ConflictError, match="lab/llama has no price"):
        await corrections.reprice(at(1))
    done = (await corrections.set_charge(at(1), 1)).correction
    assert done is not None
    with pytest.raises(BadInputError, match="a correction is not corrected"):
        await corrections.set_charge(format_request_id(done.request_id), 1)


# What the provider asks

OWN = PriceSheet.parse({"bands": [{"prices": {"input": "1.00"}}]})
"""ada's: it makes of 1,000 tokens what she was charged."""
PROVIDERS = PriceSheet.parse({"bands": [{"prices": {"input": "2.00"}}]})
DEARER = PriceSheet.parse({"bands": [{"prices": {"input": "5.00"}}]})


async def older_rows(storage: SqliteStorage, clock: StoppedClock, *, priced: bool = True) -> None:
    """As versions before 0010 wrote them: the cost by ada's own price, and no word of another. Posted yesterday.

    With `priced`, the provider's price has been known since the day before, and is another by now.
    """
    async with storage.writing() as unit:
        then_us, now_us = clock.us - 2 * DAY_US, clock.us
        own = PriceVersion(0, 1, 1, "customer", OWN, then_us, then_us)
        known = [PriceVersion(0, 1, None, "catalogue", PROVIDERS, then_us, then_us)]
        known.append(PriceVersion(0, 1, None, "operator", DEARER, now_us, now_us))
        await unit.prices.add_all([own, *(known if priced else ())])
    asked = [make_intent(number, 0, price_id=1, started_at_us=clock.us - DAY_US) for number in (31, 32)]
    connection = storage._database.connect()
    post(connection, [make_settlement(one, charge_pico=CHARGED_PICO, meters=METERS) for one in asked], clock.us - 9)
    connection.close()


async def recosted(storage: SqliteStorage, **changes: bool) -> list[CorrectedRequest | UsageRow]:
    corrections = Corrections(storage, "costs by the provider")
    wanted = {"current": False, "dry": False, **changes}
    return [one async for one in corrections.recost("llama", Span(NOW_US - 99, NOW_US), "ada", **wanted)]


async def test_recosting_uses_the_past_price_of_the_provider_and_keeps_the_charge(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    await older_rows(storage, clock)
    closed = await periods.close(storage, periods.asked("first", "2020-01-01", str(format_instant(NOW_US)), "UTC"))
    wallet = await storage.reading().balance.get(1)
    dry = [one for one in await recosted(storage, dry=True) if isinstance(one, CorrectedRequest)]
    assert [(one.cost_before_pico, one.cost_after_pico) for one in dry] == [(CHARGED_PICO, 2 * CHARGED_PICO)] * 2
    assert len(await storage.reading().usage.after(UsageFilter(), NOW_US - 1, 9)) == 0, "a rehearsal posts nothing"
    posted = [one for one in await recosted(storage) if isinstance(one, CorrectedRequest)]
    rows = [one.correction for one in posted if one.correction is not None]
    assert [(row.cost_pico, row.charge_pico) for row in rows] == [(CHARGED_PICO, 0)] * 2
    assert [(row.price_id, row.cost_price_id) for row in rows] == [(1, 2)] * 2
    assert all(row.id >= closed.span.to_us for row in rows), "what is closed stays as it is"
    assert (await storage.reading().balance.get(1)) == wallet
    explained = await usage.explain(storage, at(31))
    assert explained.agrees and explained.row.cost_pico == CHARGED_PICO, "the row stays as it was posted"
    assert (explained.final_cost_pico, explained.final_pico) == (2 * CHARGED_PICO, CHARGED_PICO)
    correction = await usage.explain(storage, format_request_id(rows[0].request_id))
    assert correction.agrees and not correction.stated and correction.cost_pico == 2 * CHARGED_PICO
    assert await violations(storage) == ()
    again = [one for one in await recosted(storage) if isinstance(one, CorrectedRequest)]
    assert [one.correction for one in again] == [None] * len(again), "run again, it changes nothing"


async def test_recosting_with_the_current_price_uses_it(storage: SqliteStorage, clock: StoppedClock) -> None:
    await older_rows(storage, clock)
    await recosted(storage)
    posted = [one for one in await recosted(storage, current=True) if isinstance(one, CorrectedRequest)]
    assert [(one.cost_before_pico, one.cost_after_pico) for one in posted] == [(2 * CHARGED_PICO, 5 * CHARGED_PICO)] * 2
    assert await violations(storage) == ()


async def test_recosting_without_a_price_of_the_provider_keeps_the_cost(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    await older_rows(storage, clock, priced=False)
    assert [one.request_id for one in await recosted(storage) if isinstance(one, UsageRow)] == [31, 32]
    assert (await usage.explain(storage, at(31))).corrections == []


async def test_recosting_of_an_older_repricing_uses_the_price_of_its_time(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    """A correction of an older version took the cost from the customer's price too."""
    async with storage.writing() as unit:
        then_us = clock.us - 2 * DAY_US
        added = [
            PriceVersion(0, 1, None, "operator", PROVIDERS, then_us, then_us),
            PriceVersion(0, 1, 1, "customer", OWN, clock.us - 50, clock.us - 50),
        ]
        await unit.prices.add_all(added)
    connection = storage._database.connect()
    intent = make_intent(40, 0, price_id=1, hold_pico=4 * CHARGED_PICO, started_at_us=clock.us - DAY_US)
    post(connection, [make_settlement(intent, charge_pico=2 * CHARGED_PICO, meters=METERS)], clock.us - 99)
    connection.close()
    async with storage.writing() as unit:
        row = await unit.usage.by_request(40)
        assert row is not None
        await unit.ledger.correct(
            Correction(row, 60, -CHARGED_PICO, -CHARGED_PICO, price_id=2, markup=Fraction(1), note="older")
        )
    corrections = Corrections(storage, "costs")
    span = Span(NOW_US, 2**62)
    [found] = [one async for one in corrections.recost(None, span, None, current=False, dry=False)]
    assert isinstance(found, CorrectedRequest) and found.row.request_id == 40
    assert (found.cost_before_pico, found.cost_after_pico) == (CHARGED_PICO, 2 * CHARGED_PICO)
    assert found.before_pico == found.after_pico == CHARGED_PICO


async def test_correction_of_a_charge_after_recosting_keeps_the_cost(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    await older_rows(storage, clock)
    await recosted(storage)
    stated = await Corrections(storage, "agreed").set_charge(at(31), 5)
    assert stated.correction is not None and stated.correction.cost_pico == 0
    assert (await usage.explain(storage, at(31))).final_cost_pico == 2 * CHARGED_PICO
