"""The state of caps of keys and users through requests, corrections, recovery, other zones and rotated keys."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.metering.caps import Cap, CapAlert
from softix_proxy.domain.metering.usage import Correction
from softix_proxy.domain.ports.storage import Storage

DAY_START_US = calendar("UTC").at(NOW_US).day_us


async def add(storage: Storage, amount_pico: int = 10 * USD, key_id: int | None = 1, **changes: object) -> Cap:
    cap = Cap(0, 1, key_id, "", "day", amount_pico, NOW_US, spent_at_us=NOW_US)
    async with storage.writing() as unit:
        return await unit.caps.add(replace(cap, **changes))  # type: ignore[arg-type]


async def states(storage: Storage) -> list[tuple[int, int]]:
    """(Spent, held) of each cap of ada and her keys, after the books were found right."""
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
        return [(cap.spent_pico, cap.held_pico) for cap in await unit.caps.of_user(1)]


async def test_cap_is_listed_with_its_key_or_its_user_and_is_one_of_its_kind(storage: Storage) -> None:
    of_key, of_user = await add(storage), await add(storage, key_id=None)
    unit = storage.reading()
    assert await unit.caps.list(1, 1) == [of_key] and await unit.caps.list(1, None) == [of_user]
    assert await unit.caps.get(of_key.id) == of_key == replace(of_user, id=of_key.id, key_id=1)
    assert await unit.caps.of_user(1) == [of_key, of_user] and await unit.caps.of_user(2) == []
    with pytest.raises(ConflictError, match="such a cap already"):
        await add(storage)
    await add(storage, models="lab/*")
    with pytest.raises(NotFoundError):
        await unit.caps.get(99)


async def test_cap_and_its_changes_leave_the_directory_as_it_is(storage: Storage) -> None:
    revision = (await storage.changes(0)).revision
    added = await add(storage)
    async with storage.writing() as unit:
        await unit.caps.set_terms(replace(added, amount_pico=5, alerts="50"))
        await unit.caps.set_spent(added.id, 7)
        changed = await unit.caps.get(added.id)
        assert (changed.amount_pico, changed.alerts, changed.spent_pico) == (5, "50", 7)
        await unit.caps.remove(added.id)
    assert (await storage.changes(0)).revision == revision


async def test_request_counts_in_the_caps_of_its_key_its_user_and_its_model(books: Books, storage: Storage) -> None:
    await add(storage)
    await add(storage, key_id=None)
    await add(storage, models="lab/llama")
    await add(storage, models="openai/*")
    await add(storage, models="gpt-*", key_id=None)
    intent = make_intent(1, 0, hold_pico=3 * USD)
    await books.admit([intent, make_intent(2, 0, user=2)], NOW_US)
    held = (0, 3 * USD)
    assert await states(storage) == [held, held, held, (0, 0), (0, 0)]
    await books.settle_open([make_settlement(intent, charge_pico=5)], NOW_US)
    assert await states(storage) == [(5, 0), (5, 0), (5, 0), (0, 0), (0, 0)]


async def test_added_cap_holds_what_open_requests_hold_and_a_removed_one_holds_nothing(
    books: Books, storage: Storage
) -> None:
    running = make_intent(1, 0, hold_pico=3 * USD)
    gone = await add(storage, period="week")
    await books.admit([running, make_intent(2, 0, hold_pico=USD, user=2)], NOW_US)
    async with storage.writing() as unit:
        await unit.caps.remove(gone.id)
    for models in ("", "lab/*", "openai/*"):
        await add(storage, models=models)
    assert await states(storage) == [(0, 3 * USD), (0, 3 * USD), (0, 0)]
    await books.settle_open([make_settlement(running, charge_pico=5)], NOW_US)
    assert await states(storage) == [(5, 0), (5, 0), (0, 0)]


async def correct(storage: Storage, charge_pico: int, request_id: int = 1) -> None:
    async with storage.writing() as unit:
        row = await unit.usage.by_request(request_id)
        assert row is not None
        await unit.ledger.correct(
            Correction(row, 50, 0, charge_pico, price_id=None, markup=Fraction(1), fee_pico=0, note="agreed")
        )


async def test_correction_changes_the_caps_of_the_period_and_model_of_its_charge(
    books: Books, storage: Storage, clock: StoppedClock
) -> None:
    cap = await add(storage, 1000, alerts="30,45")
    await add(storage, models="openai/*")
    await add(storage, key_id=None, models="lab/*", period="month")
    await books.settle([make_settlement(make_intent(1, 0, hold_pico=400), charge_pico=400)], NOW_US)
    await correct(storage, 60)
    assert await states(storage) == [(460, 0), (0, 0), (460, 0)]
    assert await storage.reading().caps.untold(9) == [
        CapAlert(cap.id, DAY_START_US, percent, NOW_US) for percent in (30, 45)
    ]
    clock.us += DAY_US
    await correct(storage, -50)
    assert (await states(storage))[2] == (410, 0)


async def test_counted_charges_of_a_cap_are_those_of_its_period_key_and_models(
    books: Books, storage: Storage, clock: StoppedClock
) -> None:
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    await books.settle([make_settlement(make_intent(2, 0, user=2), charge_pico=9)], NOW_US)
    unit = storage.reading()

    async def counted(later_us: int = 0, **changes: object) -> int:
        cap = replace(Cap(0, 1, 1, "", "day", USD, 1), **changes)  # type: ignore[arg-type]
        span = cap.rule.span(NOW_US + later_us, calendar("UTC"))
        return await unit.caps.counted(cap, span, span.start_us, 2**62)

    assert [await counted(), await counted(key_id=None), await counted(user_id=2, key_id=2)] == [5, 5, 9]
    assert [await counted(models="lab/*"), await counted(models="llama"), await counted(models="openai/*")] == [5, 5, 0]
    assert [await counted(DAY_US), await counted(DAY_US, period="total")] == [0, 5]


async def test_cap_day_changes_with_the_zone_that_is_billed_in_unless_it_has_its_own(
    books: Books, storage: Storage, clock: StoppedClock
) -> None:
    """In Kolkata a day begins at 18:30 UTC, so the charge of that morning is of the day before."""
    clock.us = DAY_START_US + DAY_US * 10 // 24
    await add(storage)
    await add(storage, key_id=None, zone="UTC")
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], clock.us)
    clock.us = DAY_START_US + DAY_US * 19 // 24
    await books.settle([make_settlement(make_intent(2, 0), charge_pico=7)], clock.us)
    assert await states(storage) == [(12, 0), (12, 0)]
    async with storage.writing() as unit:
        await unit.usage.change_zone("Asia/Kolkata")
    assert await states(storage) == [(7, 0), (12, 0)]


async def test_request_that_a_crash_left_open_is_released_from_its_caps(books: Books, storage: Storage) -> None:
    await add(storage)
    await add(storage, models="lab/*")
    await books.admit([make_intent(1, 0, hold_pico=3 * USD)], NOW_US, slot=3)
    [orphan] = await books.orphans(3)
    await books.settle_open([make_settlement(orphan.intent, hold_pico=orphan.hold_pico, charge_pico=11)], NOW_US)
    assert await states(storage) == [(11, 0), (11, 0)]


async def test_key_that_replaces_another_one_has_its_caps_with_what_was_spent(books: Books, storage: Storage) -> None:
    await add(storage, alerts="50", zone="Europe/Berlin")
    running = make_intent(2, 0, hold_pico=3)
    await books.settle([make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    await books.admit([running], NOW_US)
    async with storage.writing() as unit:
        old = await unit.keys.get(1)
        new = await unit.keys.add(replace(old, public_id="key_n", digest=b"n", created_at_us=NOW_US), rotated_from=1)
        [cap] = await unit.caps.list(1, new.id)
    assert (cap.spent_pico, cap.held_pico, cap.alerts, cap.zone) == (5, 0, "50", "Europe/Berlin")
    await books.settle_open([make_settlement(running, charge_pico=1)], NOW_US)
    assert await states(storage) == [(6, 0), (5, 0)], "each counts by itself from then on"


async def test_alert_of_a_cap_is_noted_once_in_a_period_and_told_once(storage: Storage) -> None:
    cap = await add(storage)
    first, later = CapAlert(cap.id, 1, 33, 7), CapAlert(cap.id, 2, 33, 8)
    async with storage.writing() as unit:
        for alert in (later, first, first._replace(reached_at_us=9)):
            await unit.caps.note(alert)
        assert await unit.caps.untold(9) == [first, later] and await unit.caps.untold(1) == [first]
        await unit.caps.told(first, 10)
        await unit.caps.note(first)
        assert await unit.caps.untold(9) == [later]
