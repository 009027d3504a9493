from dataclasses import replace
from fractions import Fraction
from typing import get_args

import pytest
from support.books import make_intent

from softix_proxy.domain.metering.settlement import (
    ABOVE_HOLD,
    LIMITED_TO_BALANCE,
    FailedAttempt,
    InterruptedCharge,
    Settlement,
    interrupted,
    limited,
    unpriced_in,
)
from softix_proxy.domain.metering.usage import UsageSource

FAILED = FailedAttempt(1, 2, 3, Fraction(1), UsageSource.NONE, 503, "provider_unreachable", 40)


def test_settlement_without_figures_costs_nothing() -> None:
    settlement = Settlement(make_intent(1, 1), 5, 0, UsageSource.NONE, 502)
    assert (settlement.cost_pico, settlement.charge_pico, settlement.fee_pico, settlement.tokens_used) == (0, 0, 0, 0)
    assert (settlement.meters, settlement.markup, settlement.error) == ({}, Fraction(1), None)


def test_settlement_with_required_fields_only_has_empty_other_fields() -> None:
    settlement = Settlement(make_intent(1, 1), 5, 0, UsageSource.NONE, 502)
    assert (settlement.service_tier, settlement.latency_ms, settlement.failed) == ("standard", 0, ())
    absent = (settlement.model_served, settlement.note, settlement.ttfb_ms, settlement.cost_price_id)
    assert absent == (None, None, None, None)


def test_failed_attempt_without_figures_costs_nothing() -> None:
    assert (FAILED.cost_pico, FAILED.charge_pico, FAILED.bound_pico) == (0, 0, 0)
    assert (FAILED.meters, FAILED.service_tier, FAILED.cost_price_id) == ({}, "standard", None)


def test_settlement_with_two_failed_attempts_counts_three_attempts() -> None:
    assert Settlement(make_intent(1, 1), 5, 0, UsageSource.PROVIDER, 200).attempts == 1
    assert Settlement(make_intent(1, 1), 5, 0, UsageSource.PROVIDER, 200, failed=(FAILED, FAILED)).attempts == 3


def test_settlement_with_many_meters_adds_up_tokens_of_each_side_without_calls() -> None:
    meters = {
        "input_tokens": 1,
        "cached_input_tokens": 20,
        "output_tokens": 300,
        "reasoning_tokens": 4000,
        "web_search_calls": 5,
        "requests": 1,
    }
    settlement = Settlement(make_intent(1, 1), 5, 0, UsageSource.PROVIDER, 200, meters=meters)
    assert (settlement.input_tokens, settlement.output_tokens, settlement.tokens_used) == (21, 4300, 4321)


@pytest.mark.parametrize(("charge", "charge_pico"), [("nothing", 0), ("bound", 7)])
def test_interrupted_request_is_charged_nothing_or_its_hold(charge: InterruptedCharge, charge_pico: int) -> None:
    intent = make_intent(1, 1)
    settlement = interrupted(intent, 7, charge, 504, "interrupted", "batch")
    assert (settlement.charge_pico, settlement.hold_pico, settlement.cost_pico) == (charge_pico, 7, 0)
    assert (settlement.source, settlement.status_code, settlement.error) == (
        UsageSource.INTERRUPTED,
        504,
        "interrupted",
    )
    assert settlement.intent is intent and (settlement.tokens_held, settlement.meters) == (0, {})
    assert settlement.service_tier == "batch"
    assert interrupted(intent, 7, charge, 504, None).service_tier == "standard"


def test_interrupted_charge_values_are_the_words_of_the_setting() -> None:
    assert get_args(InterruptedCharge) == ("nothing", "bound")


@pytest.mark.parametrize(
    ("note", "names"),
    [
        (None, []),
        ("", []),
        ("clamped uncosted:input_tokens", []),
        ("clamped unpriced:web_search_calls limited unpriced:service_tier", ["web_search_calls", "service_tier"]),
    ],
)
def test_unpriced_in_a_note_returns_the_named_meters(note: str | None, names: list[str]) -> None:
    assert unpriced_in(note) == names


def test_words_of_a_note_are_the_documented_ones() -> None:
    assert (ABOVE_HOLD, LIMITED_TO_BALANCE) == ("above_hold", "limited_to_balance")


def test_settlement_with_required_fields_only_is_prepaid_and_keeps_nothing() -> None:
    settlement = Settlement(make_intent(1, 1), 5, 0, UsageSource.NONE, 502)
    assert (settlement.objects, settlement.members, settlement.widened_pico) == ((), (), 0)
    assert settlement.postpaid is False


@pytest.mark.parametrize(
    ("note", "expected"), [(None, "limited_to_balance"), ("above_hold", "above_hold limited_to_balance")]
)
def test_charge_limited_to_the_balance_is_noted_and_all_else_stays(note: str | None, expected: str) -> None:
    settlement = Settlement(make_intent(1, 1), 5, 3, UsageSource.PROVIDER, 200, charge_pico=90, cost_pico=80, note=note)
    lower = limited(settlement, 12)
    assert (lower.charge_pico, lower.note) == (12, expected)
    assert replace(lower, charge_pico=90, note=note) == settlement
