"""Attempts that failed: written with the settlement, read back, and part of what the provider may bill."""

from dataclasses import replace
from fractions import Fraction

import pytest
from support.books import NOW_US, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import UsageFilter, UsageSource

TIMED_OUT = FailedAttempt(1, 1, 4, Fraction(11, 10), UsageSource.INTERRUPTED, 504, "provider_timeout", 9, bound_pico=77)
BILLED = FailedAttempt(
    1, 1, 4, Fraction(1), UsageSource.PROVIDER, 200, "provider_fault", 8, {"input_tokens": 5}, "flex", 0, 30, 20
)
REFUSED = FailedAttempt(1, 1, None, Fraction(1), UsageSource.NONE, 429, "provider_rate_limited", 7)
DAY = NOW_US // DAY_US


@pytest.fixture
async def books(books: Books) -> Books:
    settlements = [
        make_settlement(make_intent(1, 0), failed=(TIMED_OUT, BILLED)),
        make_settlement(make_intent(2, 0, user=2)),
        make_settlement(make_intent(3, 0, user=2), failed=(REFUSED,)),
    ]
    await books.settle(settlements, NOW_US)
    return books


async def test_attempts_of_a_request_with_two_failures_are_read_back_in_order(books: Books) -> None:
    usage = books.storage.reading().usage
    rows = {row.request_id: row for row in await usage.newest(UsageFilter(), 9)}
    assert [rows[number].attempts for number in (1, 2, 3)] == [3, 1, 2]
    first, second = await usage.attempts_of(rows[1].id)
    assert (first.sequence, first.status_code, first.source, first.bound_pico) == (1, 504, UsageSource.INTERRUPTED, 77)
    assert (first.markup, first.user_name, first.provider, first.model) == (Fraction(11, 10), "ada", "lab", "llama")
    assert (second.sequence, second.meters, second.service_tier) == (2, {"input_tokens": 5}, "flex")
    assert (second.cost_pico, second.charge_pico, second.price_id) == (30, 20, 4)
    assert await usage.attempts_of(rows[2].id) == []


async def test_attempts_filtered_by_period_and_user_are_listed_newest_first(books: Books) -> None:
    usage = books.storage.reading().usage
    listed = await usage.attempts(UsageFilter(), 9)
    assert [(row.request_id, row.sequence) for row in listed] == [(3, 1), (1, 2), (1, 1)]
    assert [row.request_id for row in await usage.attempts(UsageFilter(user_id=2), 9)] == [3]
    assert len(await usage.attempts(UsageFilter(span=Span(0, NOW_US)), 9)) == 0
    assert len(await usage.attempts(UsageFilter(), 2)) == 2


async def test_daily_costs_after_an_interrupted_attempt_include_its_bound(books: Books) -> None:
    usage = books.storage.reading().usage
    costs = [cost async for cost in usage.daily_costs("lab", DAY, DAY + 1)][1:]
    assert [(cost.source, cost.requests, cost.tokens, cost.cost_pico, cost.hold_pico) for cost in costs] == [
        (UsageSource.INTERRUPTED, 1, 0, 0, 77),
        (UsageSource.PROVIDER, 1, 5, 30, 0),
    ]


async def test_ledger_with_attempts_verifies_and_refuses_to_change_them(books: Books) -> None:
    async with books.storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
    for statement in ("UPDATE attempts SET charge_pico = 0", "DELETE FROM attempts"):
        with pytest.raises(Exception, match="append-only"):
            await books.run(statement)


async def test_attempt_without_a_price_of_its_cost_is_unpriced_in_daily_costs(books: Books) -> None:
    changed = [replace(BILLED, cost_price_id=number) for number in (3, 0)]
    await books.settle([make_settlement(make_intent(9, 0), failed=tuple(changed))], NOW_US + DAY_US)
    usage = books.storage.reading().usage
    [row] = [row for row in await usage.newest(UsageFilter(), 9) if row.request_id == 9]
    assert [attempt.cost_price_id for attempt in await usage.attempts_of(row.id)] == [3, 0]
    costs = [cost async for cost in usage.daily_costs("lab", DAY + 1, DAY + 2)][1:]
    assert [(cost.unpriced, cost.requests) for cost in costs] == [(False, 1), (True, 1)]
