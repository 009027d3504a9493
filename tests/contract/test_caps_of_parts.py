"""Caps of the requests with a tag, and of each end user apart."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Denied, Intent
from softix_proxy.domain.metering.caps import Cap, EndUserSpend
from softix_proxy.domain.metering.usage import Correction
from softix_proxy.domain.ports.storage import Storage

SEARCH, SALES = "env=prod team=search", "env=prod team=sales"
ADA, ALAN = "a" * 32, "b" * 32


async def add(storage: Storage, amount_pico: int = 10 * USD, key_id: int | None = None, **changes: Any) -> Cap:
    cap = Cap(0, 1, key_id, "", "day", amount_pico, NOW_US, spent_at_us=NOW_US)
    async with storage.writing() as unit:
        return await unit.caps.add(replace(cap, **changes))


async def states(storage: Storage, cap: Cap) -> tuple[int, int]:
    """(Spent, held), after the books were found right."""
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
        found = await unit.caps.get(cap.id)
        return found.spent_pico, found.held_pico


async def of_end_users(storage: Storage, cap: Cap) -> dict[str, tuple[int, int]]:
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
        found = await unit.caps.of_end_users(cap.id)
    return {each.end_user: (each.spent_pico, each.held_pico) for each in found}


def asked(number: int, tags: str = "", end_user: str = "", **more: Any) -> Intent:
    return replace(make_intent(number, 0, **more), tags=tags, end_user=end_user)


async def test_request_counts_in_the_caps_of_its_tags_and_in_no_other(books: Books, storage: Storage) -> None:
    search, prod = await add(storage, tag="team=search"), await add(storage, tag="env=prod", key_id=1)
    part, other = await add(storage, tag="team=sea"), await add(storage, tag="team=search", models="openai/*")
    intents = [asked(1, SEARCH, hold_pico=3), asked(2, SALES, hold_pico=5), asked(3, hold_pico=7)]
    await books.admit(intents, NOW_US)
    assert [await states(storage, cap) for cap in (search, prod, part, other)] == [(0, 3), (0, 8), (0, 0), (0, 0)]
    await books.settle_open([make_settlement(intent, charge_pico=2) for intent in intents], NOW_US)
    assert [await states(storage, cap) for cap in (search, prod, part, other)] == [(2, 0), (4, 0), (0, 0), (0, 0)]


async def test_used_up_cap_of_a_tag_refuses_only_requests_with_it(books: Books, storage: Storage) -> None:
    await add(storage, USD, tag="team=search")
    intents = [asked(1, SEARCH, hold_pico=USD), asked(2, SEARCH, hold_pico=USD), asked(3, SALES, hold_pico=USD)]
    first, second, third = await books.ask(intents, NOW_US)
    assert isinstance(first, Admitted) and isinstance(third, Admitted)
    assert isinstance(second, Denied) and second.code is Code.CAP_REACHED
    assert second.limit == "cap of $1.00 a day for the tag team=search of the user of this API key"


async def test_each_end_user_has_the_amount_of_the_cap(books: Books, storage: Storage) -> None:
    cap = await add(storage, USD, end_users=True, alerts="")
    intents = [
        asked(1, end_user=ADA, hold_pico=USD),
        asked(2, end_user=ADA, hold_pico=USD),
        asked(3, end_user=ALAN, hold_pico=USD),
        asked(4, hold_pico=USD),
    ]
    decisions = await books.ask(intents, NOW_US)
    assert [isinstance(each, Admitted) for each in decisions] == [True, False, True, True]
    assert await of_end_users(storage, cap) == {ADA: (0, USD), ALAN: (0, USD)}
    await books.settle_open([make_settlement(intents[at], charge_pico=5 + at) for at in (0, 2, 3)], NOW_US)
    assert await of_end_users(storage, cap) == {ADA: (5, 0), ALAN: (7, 0)}


async def test_cap_of_a_tag_for_each_end_user_counts_both(books: Books, storage: Storage) -> None:
    cap = await add(storage, end_users=True, tag="team=search", alerts="")
    intents = [asked(1, SEARCH, ADA), asked(2, SALES, ADA), asked(3, SEARCH)]
    await books.admit(intents, NOW_US)
    await books.settle_open([make_settlement(intent, charge_pico=5) for intent in intents], NOW_US)
    assert await of_end_users(storage, cap) == {ADA: (5, 0)}


async def test_added_cap_holds_what_open_requests_of_its_part_hold(books: Books, storage: Storage) -> None:
    intents = [
        asked(1, SEARCH, ADA, hold_pico=3),
        asked(2, SALES, ALAN, hold_pico=5),
        asked(3, SALES, ADA, hold_pico=7),
    ]
    await books.admit(intents, NOW_US)
    tagged, apart = await add(storage, tag="team=sales"), await add(storage, end_users=True, alerts="")
    assert await states(storage, tagged) == (0, 12)
    assert await of_end_users(storage, apart) == {ADA: (0, 10), ALAN: (0, 5)}
    await books.settle_open([make_settlement(intent, charge_pico=1) for intent in intents], NOW_US)
    assert await states(storage, tagged) == (2, 0) and await of_end_users(storage, apart) == {ADA: (2, 0), ALAN: (1, 0)}


async def test_request_that_a_crash_left_open_is_released_from_the_caps_of_its_part(
    books: Books, storage: Storage
) -> None:
    tagged, apart = await add(storage, tag="team=search"), await add(storage, end_users=True, alerts="")
    await books.admit([asked(1, SEARCH, ADA, hold_pico=3 * USD)], NOW_US, slot=3)
    [orphan] = await books.orphans(3)
    assert (orphan.intent.tags, orphan.intent.end_user) == (SEARCH, ADA)
    await books.settle_open([make_settlement(orphan.intent, hold_pico=orphan.hold_pico, charge_pico=11)], NOW_US)
    assert await states(storage, tagged) == (11, 0) and await of_end_users(storage, apart) == {ADA: (11, 0)}


async def test_correction_counts_in_the_caps_of_the_corrected_request(books: Books, storage: Storage) -> None:
    tagged, apart = await add(storage, tag="team=search"), await add(storage, end_users=True, alerts="")
    sales = await add(storage, tag="team=sales")
    await books.settle([make_settlement(asked(1, SEARCH, ADA, hold_pico=400), charge_pico=400)], NOW_US)
    async with storage.writing() as unit:
        row = await unit.usage.by_request(1)
        assert row is not None and (row.tags, row.end_user) == (SEARCH, ADA)
        await unit.ledger.correct(
            Correction(row, 50, 0, -60, price_id=None, markup=Fraction(1), fee_pico=0, note="agreed")
        )
    assert await states(storage, tagged) == (340, 0) and await of_end_users(storage, apart) == {ADA: (340, 0)}
    assert await states(storage, sales) == (0, 0)


async def test_counted_charges_are_those_of_the_part(books: Books, storage: Storage) -> None:
    for number, (tags, end_user) in enumerate(((SEARCH, ADA), (SALES, ADA), (SEARCH, ALAN), ("", "")), 1):
        await books.settle([make_settlement(asked(number, tags, end_user), charge_pico=10**number)], NOW_US)
    unit, cap = storage.reading(), Cap(0, 1, None, "", "day", USD, 1)
    span = cap.rule.span(NOW_US, calendar("UTC"))
    rows = span, span.start_us, 2**62
    assert await unit.caps.counted(replace(cap, tag="team=search"), *rows) == 1010
    assert await unit.caps.counted(cap, *rows) == 11110
    assert await unit.caps.counted_by_end_user(cap, *rows) == {ADA: 110, ALAN: 1000}
    assert await unit.caps.counted_by_end_user(replace(cap, tag="team=search"), *rows) == {ADA: 10, ALAN: 1000}


async def test_next_period_begins_anew_for_each_end_user(books: Books, storage: Storage, clock: StoppedClock) -> None:
    cap = await add(storage, USD, end_users=True, alerts="")
    await books.settle([make_settlement(asked(1, end_user=ADA, hold_pico=USD), charge_pico=USD)], NOW_US)
    [refused] = await books.ask([asked(2, end_user=ADA, hold_pico=USD)], NOW_US)
    assert isinstance(refused, Denied)
    clock.us += DAY_US
    [admitted] = await books.ask([asked(3, end_user=ADA, hold_pico=USD)], NOW_US + DAY_US)
    assert isinstance(admitted, Admitted)
    assert (await of_end_users(storage, cap))[ADA][1] == USD


async def test_key_that_replaces_another_one_goes_on_with_the_spend_of_each_end_user(
    books: Books, storage: Storage
) -> None:
    await add(storage, key_id=1, end_users=True, alerts="")
    await books.settle([make_settlement(asked(1, end_user=ADA), charge_pico=5)], NOW_US)
    async with storage.writing() as unit:
        old = await unit.keys.get(1)
        new = await unit.keys.add(replace(old, public_id="key_n", digest=b"n", created_at_us=NOW_US), rotated_from=1)
        [cap] = await unit.caps.list(1, new.id)
        [found] = await unit.caps.of_end_users(cap.id)
    assert cap.end_users and found == EndUserSpend(ADA, 0, NOW_US, 5)


async def test_spend_of_end_users_is_replaced_as_a_whole(books: Books, storage: Storage) -> None:
    cap = await add(storage, end_users=True, alerts="")
    await books.settle([make_settlement(asked(1, end_user=ADA), charge_pico=5)], NOW_US)
    async with storage.writing() as unit:
        await unit.caps.set_spent_by_end_user(cap.id, {ALAN: 7})
        found = {each.end_user: each.spent_pico for each in await unit.caps.of_end_users(cap.id)}
    assert found == {ADA: 0, ALAN: 7}
