"""What happens now, as each engine reads it: holds, the end of usage, and what is near the end of a limit."""

from __future__ import annotations

import pytest
from support.books import NOW_US, POSTED_PICO, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.metering.live import Ended, OpenHolds, OpenOrder, SecondSums
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.domain.ports.storage import Storage

ALL = UsageFilter()
FAR_US = NOW_US + 3600 * SECOND_US
FAILED = {"error": "provider_overloaded", "status_code": 503, "charge_pico": 0, "meters": {}}


async def open_three(books: Books) -> None:
    """Ada's two, the older with the smaller hold, and bob's part of a batch."""
    intents = [
        make_intent(1, 0, hold_pico=USD, started_at_us=NOW_US - 9 * SECOND_US),
        make_intent(2, 0, hold_pico=2 * USD, started_at_us=NOW_US - SECOND_US, stream=True),
        make_intent(3, 0, hold_pico=3 * USD, user=2, started_at_us=NOW_US - 99 * SECOND_US),
    ]
    await books.admit(intents, NOW_US)
    await books.run("UPDATE intents SET slot = -1 WHERE request_id = 3")
    await books.run("UPDATE key_states SET open_requests = 0 WHERE key_id = 2")


@pytest.mark.parametrize(
    ("order", "found"),
    [("newest", [2, 1]), ("age", [1, 2]), ("held", [2, 1]), ("user", [1, 2]), ("key", [1, 2]), ("model", [1, 2])],
)
async def test_open_requests_come_in_the_wished_order(
    books: Books, storage: Storage, order: OpenOrder, found: list[int]
) -> None:
    await open_three(books)
    live = storage.reading().live
    rows = await live.open_requests(9, ALL, order, with_batches=False)
    assert [row.request_id for row in rows] == found
    turned = await live.open_requests(1, ALL, order, reverse=True, with_batches=False)
    if order in ("newest", "age", "held"):
        assert [row.request_id for row in turned] == found[1:]
    assert len(await live.open_requests(9)) == 3


async def test_open_requests_and_holds_of_a_filter_are_those_that_it_selects(books: Books, storage: Storage) -> None:
    await open_three(books)
    live = storage.reading().live
    assert await live.open_holds(ALL) == OpenHolds(2, 3 * USD, NOW_US - 9 * SECOND_US, 1, 3 * USD)
    assert await live.open_holds(UsageFilter(user_id=2, errors_only=True)) == OpenHolds(0, 0, None, 1, 3 * USD)
    assert await live.open_holds(UsageFilter(model_ids=[7])) == OpenHolds(0, 0, None, 0, 0)
    [row] = await live.open_requests(9, UsageFilter(key_id=2))
    assert (row.user_name, row.key_prefix, row.provider, row.model, row.hold_pico, row.stream) == (
        ("bob", "sx_live_bbbb", "lab", "llama", 3 * USD, False)
    )


async def test_recent_rows_are_summed_by_second_and_error(books: Books, storage: Storage) -> None:
    await books.settle([make_settlement(make_intent(1, 0), latency_ms=7)], NOW_US)
    later = [make_settlement(make_intent(2, 0), latency_ms=9), make_settlement(make_intent(3, 0, user=2), latency_ms=8)]
    await books.settle([*later, make_settlement(make_intent(4, 0), latency_ms=1, **FAILED)], NOW_US + SECOND_US)
    live, usage = storage.reading().live, storage.reading().usage
    first, *_, last = await usage.after(ALL, 0, 9)
    part = await live.recent(ALL, 0, FAR_US, 2)
    assert part is not None and part.last_id == last.id
    second, quarter = NOW_US // SECOND_US, USD // 4
    assert part.seconds == [
        SecondSums(second, None, 1, 3, 4, quarter, quarter),
        SecondSums(second + 1, None, 2, 6, 8, 2 * quarter, 2 * quarter),
        SecondSums(second + 1, "provider_overloaded", 1, 0, 0, 0, 0),
    ]
    assert sorted(each.latency_ms for each in part.slowest) == [8, 9]
    assert part.failed == [Ended(1, last.id)]
    assert await live.recent(ALL, part.last_id, FAR_US, 2) is None
    of_first = await live.recent(ALL, 0, first.id, 2)
    assert of_first is not None and (of_first.last_id, len(of_first.seconds)) == (first.id, 1)


async def test_part_of_recent_rows_ends_with_its_ten_seconds(books: Books, storage: Storage) -> None:
    begin_us = NOW_US - NOW_US % (10 * SECOND_US)
    for number, at_us in enumerate((begin_us, begin_us + 9 * SECOND_US, begin_us + 10 * SECOND_US), 1):
        await books.settle([make_settlement(make_intent(number, 0), latency_ms=number)], at_us)
    live = storage.reading().live
    first = await live.recent(ALL, 0, FAR_US, 1)
    assert first is not None and [each.latency_ms for each in first.slowest] == [2]
    second = await live.recent(ALL, first.last_id, FAR_US, 1)
    assert second is not None and [each.latency_ms for each in second.slowest] == [3]
    assert await live.recent(ALL, second.last_id, FAR_US, 1) is None


async def test_recent_rows_of_a_filter_pass_the_others(books: Books, storage: Storage) -> None:
    await books.settle([make_settlement(make_intent(1, 0)), make_settlement(make_intent(2, 0, user=2))], NOW_US)
    part = await storage.reading().live.recent(UsageFilter(user_id=1), 0, FAR_US, 2)
    assert part is not None and [sums.requests for sums in part.seconds] == [1]
    assert part.last_id == (await storage.reading().usage.newest(ALL, 1))[0].id


async def test_recent_rows_leave_corrections_out(books: Books, storage: Storage) -> None:
    await books.settle([make_settlement(make_intent(1, 0))], NOW_US)
    await books.settle([make_settlement(make_intent(2, 0, user=2))], NOW_US)
    await books.run("DROP TRIGGER usage_no_update")
    await books.run(
        "UPDATE usage SET corrects_row_id = (SELECT min(id) FROM usage), source = 'correction' WHERE request_id = 2"
    )
    part = await storage.reading().live.recent(ALL, 0, FAR_US, 2)
    assert part is not None and sum(sums.requests for sums in part.seconds) == 1
    assert len(part.slowest) == 1


@pytest.mark.parametrize(
    ("limits", "requests", "is_near"),
    [
        ("rpm = 5", 4, True),
        ("rpm = 5", 3, False),
        ("tpm = 100", 4, True),
        ("tpm = 100", 3, False),
        ("concurrency = 5", 4, True),
        ("concurrency = 5", 3, False),
        (f"cap_pico = {5 * USD}, cap_period = 'day'", 4, True),
        (f"cap_pico = {5 * USD}, cap_period = 'total'", 3, False),
        ("label = 'without a limit'", 4, False),
    ],
)
async def test_key_that_used_most_of_a_limit_is_near_its_end(
    books: Books, storage: Storage, limits: str, requests: int, is_near: bool
) -> None:
    await books.run(f"UPDATE keys SET {limits} WHERE id = 1")
    own = (await storage.reading().keys.get(1)).limits
    intents = [make_intent(number, 0, limits=own, tokens_estimate=20) for number in range(1, requests + 1)]
    await books.admit(intents, NOW_US)
    live = storage.reading().live
    found = await live.keys_near_limits(ALL, NOW_US, 80)
    assert {each.key_public_id for each in found} >= ({"key_ada"} if is_near else set())
    if is_near:
        [standing] = found
        assert (standing.user_name, standing.key_prefix, standing.limits) == ("ada", "sx_live_aaaa", own)
        assert standing.state.open_requests == requests
        assert await live.keys_near_limits(UsageFilter(user_id=2), NOW_US, 80) == []
        assert await live.keys_near_limits(UsageFilter(key_id=1), NOW_US, 80) == [standing]


@pytest.mark.parametrize(
    "change", ["keys SET status = 'revoked'", "users SET status = 'disabled'", "keys SET expires_at_us = 5"]
)
async def test_key_that_cannot_be_used_is_near_no_limit(books: Books, storage: Storage, change: str) -> None:
    await books.run("UPDATE keys SET concurrency = 1 WHERE id = 1")
    await books.admit([make_intent(1, 0, limits=KeyLimits(concurrency=1))], NOW_US)
    live = storage.reading().live
    assert len(await live.keys_near_limits(ALL, NOW_US, 80)) == 1
    await books.run(f"UPDATE {change} WHERE id = 1")
    assert await live.keys_near_limits(ALL, NOW_US, 80) == []


async def test_low_wallets_are_those_of_prepaid_users_who_spent_something(
    books: Books, storage: Storage, clock: StoppedClock
) -> None:
    live = storage.reading().live
    assert await live.low_wallets(ALL, POSTED_PICO) == []
    await books.settle([make_settlement(make_intent(1, 0)), make_settlement(make_intent(2, 0, user=2))], NOW_US)
    await books.admit([make_intent(3, 0, hold_pico=8 * USD)], NOW_US)
    [low] = await live.low_wallets(ALL, 2 * USD)
    assert (low.user_public_id, low.available_pico, low.spent_at_us) == ("usr_ada", 7 * USD // 4, NOW_US)
    assert [each.user_name for each in await live.low_wallets(ALL, POSTED_PICO)] == ["ada", "bob"]
    assert [each.user_name for each in await live.low_wallets(UsageFilter(user_id=2), POSTED_PICO)] == ["bob"]
    await books.run("UPDATE users SET postpaid = 1")
    assert await live.low_wallets(ALL, POSTED_PICO) == []
