"""Who may be asked, as far as this process knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.books import NOW_US, StoppedClock
from support.labs import MODELS, ROUTE, error, stage
from support.playbook import ANSWER, JSON, LAB, MODEL, PLAIN, SHEET, Exchange, Stage

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.providers import ProviderKey
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.routes import RouteLeg
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.routing import target_pool as fleet_module
from softix_proxy.relay.routing.target_pool import AttemptOutcome, BreakerSettings, Lease, TargetPool

SECOND_US = 1_000_000
TARGET = Target(MODEL, LAB, Rate(1, SHEET), ENDPOINTS["chat_completions"], RouteLeg(1))
KEYED = replace(
    TARGET, provider=replace(LAB, sealed_key=b"a", more_keys=(ProviderKey("pky_a", "second", b"b", weight=3),))
)


@pytest.fixture
def target_pool() -> TargetPool:
    return TargetPool(StoppedClock(), BreakerSettings(), lambda most: 0)


def wait(target_pool: TargetPool, seconds: int) -> None:
    target_pool.clock.us += seconds * SECOND_US  # type: ignore[attr-defined]


def entered(target_pool: TargetPool, target: Target = TARGET, tokens: int = 1) -> Lease:
    lease = target_pool.enter(target, tokens)
    assert lease is not None
    return lease


def test_target_with_half_open_circuit_breaker_gives_one_lease_at_a_time(target_pool: TargetPool) -> None:
    for _ in range(5):
        entered(target_pool).leave(AttemptOutcome.FAILED, "provider_fault")
    assert target_pool.enter(TARGET, 1) is None and target_pool.free_at_us(TARGET, 1) == NOW_US + 10 * SECOND_US
    wait(target_pool, 10)
    probe = entered(target_pool)
    assert target_pool.enter(TARGET, 1) is None
    assert target_pool.enter(TARGET, 1, forced=True) is not None
    probe.leave(AttemptOutcome.DONE)
    entered(target_pool)


def test_target_after_abandoned_probe_stays_half_open(target_pool: TargetPool) -> None:
    for _ in range(5):
        entered(target_pool).leave(AttemptOutcome.FAILED)
    wait(target_pool, 10)
    entered(target_pool).leave(AttemptOutcome.ABANDONED)
    entered(target_pool).leave(AttemptOutcome.FAILED)
    assert target_pool.enter(TARGET, 1) is None


def test_target_after_rate_limit_pauses_as_long_as_stated(target_pool: TargetPool) -> None:
    entered(target_pool).leave(AttemptOutcome.LIMITED, "provider_rate_limited", 3 * SECOND_US)
    assert target_pool.enter(TARGET, 1) is None and target_pool.stats()[0].limited_until_us == NOW_US + 3 * SECOND_US
    wait(target_pool, 3)
    entered(target_pool).leave(AttemptOutcome.LIMITED)
    wait(target_pool, 4)
    assert target_pool.enter(TARGET, 1) is None
    assert target_pool.stats()[0].breaker.state(NOW_US) == "closed"


def test_target_with_few_tokens_left_gives_leases_only_for_small_requests(target_pool: TargetPool) -> None:
    lease = entered(target_pool)
    lease.answered([("x-ratelimit-remaining-tokens", "100"), ("x-ratelimit-reset-tokens", "30s")])
    lease.leave(AttemptOutcome.DONE)
    assert target_pool.enter(TARGET, 101) is None and target_pool.enter(TARGET, 100) is not None
    wait(target_pool, 30)
    entered(target_pool, tokens=101)


def test_target_with_new_key_after_refusal_gives_a_lease(target_pool: TargetPool) -> None:
    entered(target_pool).leave(AttemptOutcome.REFUSED, "provider_credentials")
    assert target_pool.enter(TARGET, 1) is None
    entered(target_pool, replace(TARGET, provider=replace(LAB, sealed_key=b"new")))


def test_provider_key_after_refusal_pauses_alone(target_pool: TargetPool) -> None:
    first = entered(target_pool, KEYED)
    assert first.key is not None and first.key.label == "second"  # it is the heavier one
    first.leave(AttemptOutcome.REFUSED)
    assert [entered(target_pool, KEYED).key.label for _ in range(3)] == ["main"] * 3  # type: ignore[union-attr]
    wait(target_pool, 60)
    assert {entered(target_pool, KEYED).key.label for _ in range(4)} == {"main", "second"}  # type: ignore[union-attr]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 4))
def test_provider_keys_over_whole_rounds_are_used_in_proportion_to_weight(weights: list[int], rounds: int) -> None:
    target_pool = TargetPool(StoppedClock(), BreakerSettings(), lambda most: 0)
    keys = tuple(ProviderKey(f"pky_{n}", f"k{n}", b"k", weight) for n, weight in enumerate(weights))
    target = replace(TARGET, provider=replace(LAB, more_keys=keys))
    labels = [entered(target_pool, target).key.label for _ in range(sum(weights) * rounds)]  # type: ignore[union-attr]
    assert [labels.count(key.label) for key in keys] == [weight * rounds for weight in weights]


def test_target_pool_remembers_a_limited_number_of_prefixes(
    target_pool: TargetPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "_PREFIXES_KEPT", 3)
    other = replace(TARGET, model=replace(MODEL, id=2), leg=RouteLeg(2))
    for prefix in range(5):
        target_pool.remember(prefix, other)
    assert len(target_pool._prefixes) == 3
    assert target_pool.arrange([TARGET, other], 4, 1) == [other, TARGET]
    assert target_pool.arrange([TARGET, other], 0, 1) == [TARGET, other]


@given(st.lists(st.sampled_from(list(AttemptOutcome)), max_size=30))
def test_leases_after_any_outcomes_are_all_returned_and_counted(outcomes: list[AttemptOutcome]) -> None:
    target_pool = TargetPool(StoppedClock(), BreakerSettings(), lambda most: 0)
    for outcome in outcomes:
        lease = target_pool.enter(TARGET, 1, forced=True)
        assert lease is not None and lease.stats.in_flight == 1
        lease.leave(outcome, "x")
        wait(target_pool, 1)
    stats = target_pool.stats()
    assert all(each.in_flight == 0 and not each.breaker.probing for each in stats)
    counted = [outcome for outcome in outcomes if outcome is not AttemptOutcome.ABANDONED]
    assert sum(each.requests for each in stats) == len(counted)


# Breakers, limits


async def test_target_after_five_failures_is_skipped_until_its_pause_ends() -> None:
    at = stage(models=MODELS[:2])
    at.upstream.answers = {"lab": [error(500) for _ in range(5)], "two": [Exchange(ANSWER) for _ in range(9)]}
    for _ in range(5):
        await at.serve(PLAIN)
    await at.serve(PLAIN)
    assert at.upstream.asked[-1] == "two" and at.upstream.asked.count("lab") == 5
    assert at.journal.intents[-1].provider_id == 2
    at.clock.us += 11_000_000
    at.upstream.answers["lab"] = [Exchange(ANSWER), Exchange(ANSWER)]
    for _ in range(2):
        await at.serve(PLAIN)
    assert at.upstream.asked[-2:] == ["lab", "lab"]


async def test_target_with_open_circuit_breaker_is_used_if_there_is_no_other() -> None:
    at = Stage()
    at.upstream.answers = {"lab": [error(500) for _ in range(6)] + [Exchange(ANSWER)]}
    for _ in range(6):
        await at.serve(PLAIN)
    await at.serve(PLAIN)
    assert at.client.body == ANSWER


async def test_target_without_requests_left_at_the_provider_is_skipped_until_reset() -> None:
    at = stage(models=MODELS[:2])
    told = [*JSON, ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "20s")]
    at.upstream.answers = {"lab": [Exchange(ANSWER, headers=told), Exchange(ANSWER)], "two": [Exchange(ANSWER)]}
    await at.serve(PLAIN)
    await at.serve(PLAIN)
    at.clock.us += 21_000_000
    await at.serve(PLAIN)
    assert at.upstream.asked == ["lab", "two", "lab"]


async def test_target_at_its_concurrency_limit_refuses_requests() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1, concurrency=1),), retries=0),))
    reached = asyncio.Event()
    at.upstream.answers = {"lab": [reached.set]}
    first = asyncio.create_task(at.serve(PLAIN))
    await reached.wait()
    refused = await at.refused()
    assert refused.code is Code.PROVIDER_BUSY and refused.retry_after_s
    assert (at.settlement.source, at.settlement.charge_pico, at.settlement.status_code) == (UsageSource.NONE, 0, 429)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    at.upstream.answers = {"lab": [Exchange(ANSWER)]}
    await at.serve(PLAIN)
    assert at.client.body == ANSWER


# Conversations


async def test_conversation_stays_at_the_target_that_has_its_prompt_cached() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1), RouteLeg(2))),))
    long = PLAIN[:-1] + b',"user":"' + b"x" * 5000 + b'"}'
    at.target_pool.draw = lambda most: most - 1  # the last of them
    at.upstream.answers = {"lab": [Exchange(ANSWER) for _ in range(4)], "two": [Exchange(ANSWER) for _ in range(4)]}
    await at.serve(long)
    at.target_pool.draw = lambda most: 0
    await at.serve(long + b" ")
    await at.serve(PLAIN)
    await at.serve(long.replace(b"x", b"y"))
    at.clock.us += 2 * 3600 * 1_000_000
    await at.serve(long)
    assert at.upstream.asked == ["two", "two", "lab", "lab", "lab"]


@pytest.mark.parametrize("outcome", [AttemptOutcome.FAILED, AttemptOutcome.LIMITED, AttemptOutcome.REFUSED])
def test_target_pause_begun_while_the_clock_was_ahead_ends_when_the_clock_is_corrected(
    target_pool: TargetPool, outcome: AttemptOutcome
) -> None:
    year_s = 365 * 86_400
    wait(target_pool, year_s)
    for _ in range(5):
        if (lease := target_pool.enter(TARGET, 1)) is not None:
            lease.leave(outcome)
    assert target_pool.enter(TARGET, 1) is None, "it pauses"
    wait(target_pool, -year_s)
    assert target_pool.free_at_us(TARGET, 1) <= NOW_US
    entered(target_pool).leave(AttemptOutcome.DONE)
    entered(target_pool).leave(AttemptOutcome.DONE)
