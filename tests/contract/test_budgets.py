"""The state of budgets through requests, corrections, recovery, other zones and changed owners."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books
from support.organisation import own, person, project

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.metering.budgets import Budget, BudgetAlert, BudgetPeriod
from softix_proxy.domain.metering.usage import Correction
from softix_proxy.domain.ports.storage import Storage

DAY_START_US = calendar("UTC").at(NOW_US).day_us


@pytest.fixture
async def bot(storage: Storage) -> int:
    """The number of a project that has ada's key."""
    made = await project(storage, "bot")
    await own(storage, 1, project_id=made.id)
    return made.id


async def add(storage: Storage, amount_pico: int = 10 * USD, **changes: object) -> Budget:
    budget = Budget(0, "bud_a", 1, None, None, "day", amount_pico, NOW_US, spent_at_us=NOW_US)
    async with storage.writing() as unit:
        return await unit.budgets.add(replace(budget, **changes))  # type: ignore[arg-type]


async def state(storage: Storage, number: int = 0) -> tuple[int, int]:
    """(Spent, held), after the books were found right."""
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
        budget = (await unit.budgets.list())[number]
        return budget.spent_pico, budget.held_pico


async def test_budget_is_found_in_its_organisation_and_is_one_of_its_kind(storage: Storage, bot: int) -> None:
    added = await add(storage, project_id=bot)
    unit = storage.reading()
    assert added == Budget(added.id, "bud_a", 1, None, bot, "day", 10 * USD, NOW_US, spent_at_us=NOW_US)
    assert await unit.budgets.get(added.id) == added and await unit.budgets.list(1) == [added]
    assert await unit.budgets.find(1, "bud_a") == added
    assert await unit.budgets.find(2, "bud_a") is None and await unit.budgets.list(2) == []
    with pytest.raises(ConflictError, match="a day already"):
        await add(storage, project_id=bot, public_id="bud_b")
    await add(storage, project_id=bot, public_id="bud_b", period="week")
    with pytest.raises(NotFoundError):
        await unit.budgets.get(99)


async def test_budget_and_its_changes_leave_the_directory_as_it_is(storage: Storage, bot: int) -> None:
    revision = (await storage.changes(0)).revision
    added = await add(storage, project_id=bot)
    async with storage.writing() as unit:
        await unit.budgets.set_amount(added.id, 5)
        await unit.budgets.remove(added.id)
    assert await storage.reading().budgets.list() == []
    assert (await storage.changes(0)).revision == revision


async def test_added_budget_holds_what_open_requests_of_its_keys_hold(books: Books, storage: Storage, bot: int) -> None:
    running = make_intent(1, 0, hold_pico=3 * USD)
    await books.admit([running, make_intent(2, 0, hold_pico=USD, user=2)], NOW_US)
    await add(storage, project_id=bot)
    assert await state(storage) == (0, 3 * USD)
    await books.settle_open([make_settlement(running, charge_pico=5)], NOW_US)
    assert await state(storage) == (5, 0)


async def test_budgets_of_a_project_and_of_a_member_both_count_a_charge(books: Books, storage: Storage) -> None:
    alan, bot = await person(storage, "alan"), await project(storage, "bot")
    await own(storage, 1, account_id=alan.id, project_id=bot.id)
    await add(storage, project_id=bot.id)
    await add(storage, account_id=alan.id, public_id="bud_b", period="month")
    await add(storage, account_id=alan.id, public_id="bud_c", user_id=2)
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    assert [await state(storage, number) for number in range(3)] == [(5, 0), (5, 0), (0, 0)], (
        "the last is of the same person in another organisation"
    )


@pytest.mark.parametrize(("period", "later_us", "spent_pico"), [("day", DAY_US, 0), ("month", DAY_US, 5)])
async def test_counted_charges_of_a_budget_are_those_of_its_present_period(
    books: Books, storage: Storage, clock: StoppedClock, bot: int, period: BudgetPeriod, later_us: int, spent_pico: int
) -> None:
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    await books.settle([make_settlement(make_intent(2, 0, user=2), charge_pico=9)], NOW_US)
    clock.us += later_us
    budget = Budget(0, "bud_a", 1, None, bot, period, USD, NOW_US)
    unit = storage.reading()
    assert await unit.budgets.counted(budget, 0, 2**62) == spent_pico
    assert await unit.budgets.counted(budget, 0, NOW_US) == 0, "it is posted with that number"
    assert await unit.budgets.counted(replace(budget, user_id=2), 0, 2**62) == 0


async def correct(storage: Storage, charge_pico: int, request_id: int = 1) -> None:
    async with storage.writing() as unit:
        row = await unit.usage.by_request(request_id)
        assert row is not None
        await unit.ledger.correct(
            Correction(row, 50, 0, charge_pico, price_id=None, markup=Fraction(1), fee_pico=0, note="agreed")
        )


async def test_correction_changes_the_budget_that_its_charge_counted_in(
    books: Books, storage: Storage, clock: StoppedClock, bot: int
) -> None:
    desk = await project(storage, "desk")
    await add(storage, project_id=bot)
    await add(storage, project_id=desk.id, public_id="bud_b")
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=500)], NOW_US)
    await own(storage, 1, project_id=desk.id)
    await correct(storage, -200)
    assert (await state(storage, 0), await state(storage, 1)) == ((300, 0), (0, 0))
    clock.us += DAY_US
    await books.settle([make_settlement(make_intent(2, 0), charge_pico=7)], clock.us)
    await correct(storage, -100)
    assert (await state(storage, 0), await state(storage, 1)) == ((200, 0), (7, 0)), "that day is over"


async def test_correction_that_reaches_a_part_of_a_budget_is_noted(books: Books, storage: Storage, bot: int) -> None:
    budget = await add(storage, 1000, project_id=bot)
    await books.settle([make_settlement(make_intent(1, 0, hold_pico=400), charge_pico=400)], NOW_US)
    await correct(storage, 450)
    assert await storage.reading().budgets.untold(9) == [
        BudgetAlert(budget.id, DAY_START_US, percent, NOW_US) for percent in (50, 80)
    ]


async def test_budget_day_changes_with_the_zone_that_is_billed_in(
    books: Books, storage: Storage, clock: StoppedClock, bot: int
) -> None:
    """In Kolkata a day begins at 18:30 UTC, so the charge of that morning is of the day before."""
    clock.us = DAY_START_US + DAY_US * 10 // 24
    await add(storage, project_id=bot)
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], clock.us)
    clock.us = DAY_START_US + DAY_US * 19 // 24
    await books.settle([make_settlement(make_intent(2, 0), charge_pico=7)], clock.us)
    assert await state(storage) == (12, 0)
    async with storage.writing() as unit:
        await unit.usage.change_zone("Asia/Kolkata")
    assert await state(storage) == (7, 0)
    assert (await storage.reading().budgets.today()).day_us == DAY_START_US + DAY_US * 37 // 48


async def test_request_that_a_crash_left_open_is_released_from_its_budget(
    books: Books, storage: Storage, bot: int
) -> None:
    await add(storage, project_id=bot)
    await books.admit([make_intent(1, 0, hold_pico=3 * USD)], NOW_US, slot=3)
    assert await state(storage) == (0, 3 * USD)
    [orphan] = await books.orphans(3)
    await books.settle_open([make_settlement(orphan.intent, hold_pico=orphan.hold_pico, charge_pico=11)], NOW_US)
    assert await state(storage) == (11, 0)


async def test_alert_is_noted_once_in_a_period_and_told_once(storage: Storage, bot: int) -> None:
    budget = await add(storage, project_id=bot)
    first, later = BudgetAlert(budget.id, 1, 50, 7), BudgetAlert(budget.id, 2, 50, 8)
    async with storage.writing() as unit:
        for alert in (later, first, first._replace(reached_at_us=9)):
            await unit.budgets.note(alert)
        assert await unit.budgets.untold(9) == [first, later] and await unit.budgets.untold(1) == [first]
        await unit.budgets.told(first, 10)
        await unit.budgets.note(first)
        assert await unit.budgets.untold(9) == [later]
        await unit.budgets.remove(budget.id)
        assert await unit.budgets.untold(9) == []


async def test_recounted_spend_replaces_the_state(storage: Storage, clock: StoppedClock, bot: int) -> None:
    budget = await add(storage, project_id=bot)
    clock.us += 5
    async with storage.writing() as unit:
        await unit.budgets.set_spent(budget.id, 9)
        assert await unit.budgets.get(budget.id) == replace(budget, spent_at_us=NOW_US + 5, spent_pico=9)
