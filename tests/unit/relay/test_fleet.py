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
from softix_proxy.domain.errors import Code
from softix_proxy.domain.pricing import Rate
from softix_proxy.domain.providers import ProviderKey
from softix_proxy.domain.routes import RouteLeg
from softix_proxy.domain.usage import UsageSource
from softix_proxy.relay import fleet as fleet_module
from softix_proxy.relay.fleet import Berth, Care, Fleet, Outcome
from softix_proxy.relay.plan import Target

SECOND_US = 1_000_000
TARGET = Target(MODEL, LAB, Rate(1, SHEET), ENDPOINTS["chat_completions"], RouteLeg(1))
KEYED = replace(
    TARGET, provider=replace(LAB, sealed_key=b"a", more_keys=(ProviderKey("pky_a", "second", b"b", weight=3),))
)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(StoppedClock(), Care(), lambda most: 0)


def wait(fleet: Fleet, seconds: int) -> None:
    fleet.clock.us += seconds * SECOND_US  # type: ignore[attr-defined]


def entered(fleet: Fleet, target: Target = TARGET, tokens: int = 1) -> Berth:
    berth = fleet.enter(target, tokens)
    assert berth is not None
    return berth


def test_half_open_lets_one_in_at_a_time(fleet: Fleet) -> None:
    for _ in range(5):
        entered(fleet).leave(Outcome.FAILED, "provider_fault")
    assert fleet.enter(TARGET, 1) is None and fleet.free_at_us(TARGET, 1) == NOW_US + 10 * SECOND_US
    wait(fleet, 10)
    probe = entered(fleet)
    assert fleet.enter(TARGET, 1) is None
    assert fleet.enter(TARGET, 1, forced=True) is not None
    probe.leave(Outcome.DONE)
    entered(fleet)


def test_a_probe_that_was_given_up_says_nothing(fleet: Fleet) -> None:
    for _ in range(5):
        entered(fleet).leave(Outcome.FAILED)
    wait(fleet, 10)
    entered(fleet).leave(Outcome.ABANDONED)
    entered(fleet).leave(Outcome.FAILED)
    assert fleet.enter(TARGET, 1) is None


def test_a_limited_key_rests_as_long_as_it_is_told(fleet: Fleet) -> None:
    entered(fleet).leave(Outcome.LIMITED, "provider_rate_limited", 3 * SECOND_US)
    assert fleet.enter(TARGET, 1) is None and fleet.vitals()[0].limited_until_us == NOW_US + 3 * SECOND_US
    wait(fleet, 3)
    entered(fleet).leave(Outcome.LIMITED)
    wait(fleet, 4)
    assert fleet.enter(TARGET, 1) is None
    assert fleet.vitals()[0].breaker.state(NOW_US) == "closed"


def test_tokens_that_are_left_do_for_who_needs_no_more(fleet: Fleet) -> None:
    berth = entered(fleet)
    berth.answered([("x-ratelimit-remaining-tokens", "100"), ("x-ratelimit-reset-tokens", "30s")])
    berth.leave(Outcome.DONE)
    assert fleet.enter(TARGET, 101) is None and fleet.enter(TARGET, 100) is not None
    wait(fleet, 30)
    entered(fleet, tokens=101)


def test_a_key_given_just_now_is_not_the_refused_one(fleet: Fleet) -> None:
    entered(fleet).leave(Outcome.REFUSED, "provider_credentials")
    assert fleet.enter(TARGET, 1) is None
    entered(fleet, replace(TARGET, provider=replace(LAB, sealed_key=b"new")))


def test_each_key_rests_for_itself(fleet: Fleet) -> None:
    first = entered(fleet, KEYED)
    assert first.key is not None and first.key.label == "second"  # it is the heavier one
    first.leave(Outcome.REFUSED)
    assert [entered(fleet, KEYED).key.label for _ in range(3)] == ["main"] * 3  # type: ignore[union-attr]
    wait(fleet, 60)
    assert {entered(fleet, KEYED).key.label for _ in range(4)} == {"main", "second"}  # type: ignore[union-attr]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 4))
def test_turns_are_shares(weights: list[int], rounds: int) -> None:
    fleet = Fleet(StoppedClock(), Care(), lambda most: 0)
    keys = tuple(ProviderKey(f"pky_{n}", f"k{n}", b"k", weight) for n, weight in enumerate(weights))
    target = replace(TARGET, provider=replace(LAB, more_keys=keys))
    labels = [entered(fleet, target).key.label for _ in range(sum(weights) * rounds)]  # type: ignore[union-attr]
    assert [labels.count(key.label) for key in keys] == [weight * rounds for weight in weights]


def test_what_is_remembered_has_an_end(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "_PREFIXES_KEPT", 3)
    other = replace(TARGET, model=replace(MODEL, id=2), leg=RouteLeg(2))
    for prefix in range(5):
        fleet.remember(prefix, other)
    assert len(fleet._prefixes) == 3
    assert fleet.arrange([TARGET, other], 4, 1) == [other, TARGET]
    assert fleet.arrange([TARGET, other], 0, 1) == [TARGET, other]


@given(st.lists(st.sampled_from(list(Outcome)), max_size=30))
def test_whoever_enters_leaves(outcomes: list[Outcome]) -> None:
    fleet = Fleet(StoppedClock(), Care(), lambda most: 0)
    for outcome in outcomes:
        berth = fleet.enter(TARGET, 1, forced=True)
        assert berth is not None and berth.vitals.in_flight == 1
        berth.leave(outcome, "x")
        wait(fleet, 1)
    vitals = fleet.vitals()
    assert all(each.in_flight == 0 and not each.breaker.probing for each in vitals)
    counted = [outcome for outcome in outcomes if outcome is not Outcome.ABANDONED]
    assert sum(each.requests for each in vitals) == len(counted)


# Breakers, limits


async def test_a_breaker_turns_requests_away_and_lets_one_try() -> None:
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


async def test_where_all_are_out_the_first_is_asked_all_the_same() -> None:
    at = Stage()
    at.upstream.answers = {"lab": [error(500) for _ in range(6)] + [Exchange(ANSWER)]}
    for _ in range(6):
        await at.serve(PLAIN)
    await at.serve(PLAIN)
    assert at.client.body == ANSWER


async def test_the_providers_own_limit_is_heeded() -> None:
    at = stage(models=MODELS[:2])
    told = [*JSON, ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "20s")]
    at.upstream.answers = {"lab": [Exchange(ANSWER, headers=told), Exchange(ANSWER)], "two": [Exchange(ANSWER)]}
    await at.serve(PLAIN)
    await at.serve(PLAIN)
    at.clock.us += 21_000_000
    await at.serve(PLAIN)
    assert at.upstream.asked == ["lab", "two", "lab"]


async def test_the_operators_own_limit_always_holds() -> None:
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


async def test_a_conversation_stays_where_its_prompt_is_cached() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1), RouteLeg(2))),))
    long = PLAIN[:-1] + b',"user":"' + b"x" * 5000 + b'"}'
    at.fleet.draw = lambda most: most - 1  # the last of them
    at.upstream.answers = {"lab": [Exchange(ANSWER) for _ in range(4)], "two": [Exchange(ANSWER) for _ in range(4)]}
    await at.serve(long)
    at.fleet.draw = lambda most: 0
    await at.serve(long + b" ")
    await at.serve(PLAIN)
    await at.serve(long.replace(b"x", b"y"))
    at.clock.us += 2 * 3600 * 1_000_000
    await at.serve(long)
    assert at.upstream.asked == ["two", "two", "lab", "lab", "lab"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.LIMITED, Outcome.REFUSED])
def test_a_pause_that_began_while_the_clock_was_ahead_is_over_when_it_is_put_right(
    fleet: Fleet, outcome: Outcome
) -> None:
    year_s = 365 * 86_400
    wait(fleet, year_s)
    for _ in range(5):
        if (berth := fleet.enter(TARGET, 1)) is not None:
            berth.leave(outcome)
    assert fleet.enter(TARGET, 1) is None, "it pauses"
    wait(fleet, -year_s)
    assert fleet.free_at_us(TARGET, 1) <= NOW_US
    entered(fleet).leave(Outcome.DONE)
    entered(fleet).leave(Outcome.DONE)
