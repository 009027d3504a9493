"""What one correction writes, column by column."""

from __future__ import annotations

from fractions import Fraction

import pytest
from support.books import NOW_US, POSTED_PICO, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.metering.usage import Correction, UsageRow, UsageSource
from softix_proxy.domain.ports.storage import Storage

CHARGED_PICO = 1000


@pytest.fixture
async def storage(books: Books, clock: StoppedClock) -> Storage:
    """One request of ada, posted now; the next day has begun."""
    await books.settle([make_settlement(make_intent(7, 0), charge_pico=CHARGED_PICO)], NOW_US)
    clock.us += DAY_US
    return books.storage


async def correct(storage: Storage, cost_pico: int, charge_pico: int, request_id: int = 50) -> UsageRow:
    async with storage.writing() as unit:
        row = await unit.usage.by_request(7)
        assert row is not None
        return await unit.ledger.correct(
            Correction(
                row, request_id, cost_pico, charge_pico, price_id=None, markup=Fraction(3, 2), fee_pico=0, note="agreed"
            )
        )


@pytest.mark.parametrize("charge_pico", [-CHARGED_PICO, 0, 5])
async def test_correction_writes_row_transfer_wallet_spend_and_sums_of_the_day(
    storage: Storage, charge_pico: int
) -> None:
    row = await correct(storage, -3, charge_pico)
    assert (row.source, row.cost_pico, row.charge_pico, row.hold_pico) == (UsageSource.CORRECTION, -3, charge_pico, 0)
    assert (row.corrects_row_id, row.note, row.markup, row.meters) == (NOW_US, "agreed", Fraction(3, 2), {})
    assert row.id >= NOW_US + DAY_US, "posted now, not when it was used"
    unit = storage.reading()
    assert (await unit.balance.get(1)).posted_pico == POSTED_PICO - CHARGED_PICO - charge_pico
    spend = await unit.keys.spend(1)
    assert (spend.total_pico, spend.day_pico) == (CHARGED_PICO + charge_pico, 0)
    first, second = await unit.usage.totals("day", 0, (NOW_US + 2 * DAY_US) // DAY_US, Calendar("UTC"))
    assert (first.requests, first.charge_pico) == (1, CHARGED_PICO)
    assert (second.requests, second.cost_pico, second.charge_pico) == (0, -3, charge_pico)
    async with storage.snapshot() as books:
        assert (await books.ledger.verify()).violations == ()


async def test_correction_whose_request_id_is_taken_gets_the_next_one(storage: Storage) -> None:
    rows = [await correct(storage, 0, 1), await correct(storage, 0, 1)]
    assert [row.request_id for row in rows] == [50, 51]
    assert await storage.reading().usage.corrections(NOW_US) == rows


@pytest.mark.parametrize("charge_pico", [-1, 1])
async def test_correction_keeps_its_prices_its_fee_and_its_note(storage: Storage, charge_pico: int) -> None:
    async with storage.writing() as unit:
        row = await unit.usage.by_request(7)
        assert row is not None
        asked = Correction(row, 50, 0, charge_pico, 12, Fraction(1), "agreed", fee_pico=1, cost_price_id=13)
        found = await unit.ledger.correct(asked)
    assert (found.price_id, found.cost_price_id, found.fee_pico) == (12, 13, 1)
    [entry] = await storage.reading().balance.history(1, 1)
    assert (entry.id, entry.amount_pico, entry.note) == (found.id, -charge_pico, "agreed")
