"""The one rule of what is charged, on values alone: as requests, realtime responses and lines of batches give them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from support.books import make_intent
from support.observations import seen
from support.playbook import SHEET

from softix_proxy.dialects.core.base import RequestSpec, UsageReport
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.settlement import FailedAttempt, InterruptedCharge, Settlement, interrupted
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.rates import UNKNOWN_COSTS, PriceSheet, Rate
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.charge import HoldTerms, charge, charge_failed
from softix_proxy.relay.settlement.observed import Observed

MICRO = 10**6
INTENT = make_intent(5, 0, price_id=1)
EXACT = 2**53 + 1
"""Of pico-USD: the first amount that a float cannot hold."""
REPORT = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})
COST_PICO, CHARGE_PICO = 67 * MICRO, 737 * MICRO // 10
RATE = Rate(1, SHEET, Fraction(11, 10))
OWN = PriceSheet.parse({"bands": [{"prices": {"input": "3", "output": "4", "web_search": "10"}}]})
TIERS = PriceSheet.parse({"bands": [{"prices": {"input": "1"}}, {"prices": {"input": "0.5"}, "service_tier": "batch"}]})
ANSWERED = seen(report=REPORT, complete=True, status_code=200, request_bytes=401)


def policy(interrupted: str = "nothing", failed: str = "never") -> Policy:
    return Policy(16, interrupted, 5.0, 1_000_000, failed)  # type: ignore[arg-type] # words that the settings allow


def charged(
    observed: Observed = ANSWERED, rate: Rate | None = RATE, spec: RequestSpec | None = None, **changes: Any
) -> Settlement:
    at = changes.pop("policy", policy())
    terms = HoldTerms(**{"intent": INTENT, "hold_pico": 10**9, "postpaid": False, "tokens_held": 3, **changes})
    return charge(spec or RequestSpec("m"), observed, rate, terms, at)


def failed(observed: Observed, rate: Rate = RATE, **changes: Any) -> FailedAttempt:
    at = changes.pop("policy", policy(failed="provider-billed"))
    terms = HoldTerms(**{"intent": INTENT, "hold_pico": 10**9, "postpaid": False, **changes})
    return charge_failed(RequestSpec("m"), observed, rate, terms, at)


def test_charge_of_a_response_is_its_price_with_the_markup() -> None:
    found = charged()
    assert (found.source, found.cost_pico, found.charge_pico) == (UsageSource.PROVIDER, COST_PICO, CHARGE_PICO)
    assert (found.markup, found.tokens_used, found.tokens_held, found.note) == (Fraction(11, 10), 37, 3, None)
    assert (found.hold_pico, found.status_code, found.intent.price_id) == (10**9, 200, 1)


@pytest.mark.parametrize("hold_pico", [5, EXACT, EXACT + 1])
def test_charge_above_its_hold_is_asked_for_whole_and_noted(hold_pico: int) -> None:
    dear = Rate(1, SHEET, Fraction(hold_pico))
    found = charged(rate=dear, hold_pico=hold_pico, widened_pico=3, spec=RequestSpec("m", members=("documents",)))
    assert (found.charge_pico, found.hold_pico, found.note) == (
        min(COST_PICO * hold_pico, MAX_PICO),
        hold_pico,
        "above_hold",
    )
    assert (found.postpaid, found.widened_pico, found.members) == (False, 3, ("documents",))
    assert found.cost_pico == COST_PICO


@pytest.mark.parametrize("imposed", ["standard", "batch"])
def test_charge_of_a_postpaid_user_above_its_hold_is_noted_too(imposed: str) -> None:
    found = charged(hold_pico=5, postpaid=True, service_tier=imposed)
    assert (found.charge_pico, found.hold_pico, found.postpaid) == (CHARGE_PICO, 5, True)
    assert (found.note or "").endswith("above_hold")


def test_charge_at_its_hold_is_not_noted() -> None:
    assert charged(hold_pico=CHARGE_PICO).note is None


def test_charge_and_cost_of_huge_usage_are_limited_to_their_columns() -> None:
    found = charged(
        seen(report=UsageReport({"output_tokens": 2**63}), complete=True), Rate(1, SHEET, Fraction(2)), postpaid=True
    )
    assert (found.charge_pico, found.cost_pico) == (MAX_PICO, MAX_PICO)
    attempt = failed(seen(report=UsageReport({"output_tokens": 2**63}), complete=True))
    assert (attempt.charge_pico, attempt.cost_pico) == (MAX_PICO, MAX_PICO)


def test_charge_of_clamped_report_with_unpriced_usage_is_noted() -> None:
    report = UsageReport(
        {"input_tokens": 1, "web_search_calls": 2}, clamped=True, service_tier="flex", model_served="m2"
    )
    found = charged(seen(report=report, complete=True))
    assert found.note == "clamped unpriced:service_tier unpriced:web_search_calls"
    assert (found.service_tier, found.model_served) == ("flex", "m2")


def test_charge_of_work_that_no_meter_counts_is_noted() -> None:
    report = UsageReport({"input_tokens": 1, "output_tokens": 1}, unpriced=("image_generation",))
    found = charged(seen(report=report, complete=True))
    assert (found.note, found.source) == ("unpriced:image_generation", UsageSource.PROVIDER)


@pytest.mark.parametrize(
    ("told", "imposed", "served"),
    [
        (None, "standard", "flex"),
        ("standard", "standard", "standard"),
        ("priority", "standard", "priority"),
        ("standard", "batch", "batch"),
        ("batch", "batch", "batch"),
        ("us", "batch", "batch+us"),
        ("batch+us", "batch", "batch+us"),
    ],
)
def test_tier_with_report_is_the_reported_one_joined_with_the_imposed_one(
    told: str | None, imposed: str, served: str
) -> None:
    report = UsageReport({"input_tokens": 1}, service_tier=told)
    found = charged(
        seen(report=report, complete=True), spec=RequestSpec("m", service_tier="flex"), service_tier=imposed
    )
    assert found.service_tier == served


@pytest.mark.parametrize("observed", [seen(), seen(refused=True), seen(started=False), seen(complete=True)])
@pytest.mark.parametrize("imposed", ["standard", "batch"])
def test_tier_without_a_report_is_the_imposed_one(observed: Observed, imposed: str) -> None:
    assert charged(observed, spec=RequestSpec("m", service_tier="flex"), service_tier=imposed).service_tier == imposed


def test_imposed_tier_decides_the_price() -> None:
    report = UsageReport({"input_tokens": 10})
    found = charged(seen(report=report, complete=True), Rate(1, TIERS), service_tier="batch")
    assert (found.charge_pico, found.note) == (5 * MICRO, None)


def test_fee_is_charged_once_and_only_for_a_response() -> None:
    rate = Rate(1, SHEET, request_fee_pico=50)
    answered = charged(seen(report=UsageReport({"input_tokens": 1}), complete=True), rate)
    assert (answered.fee_pico, answered.cost_pico, answered.charge_pico) == (50, MICRO, MICRO + 50)
    for observed in (seen(refused=True), seen(started=False), seen()):
        found = charged(observed, rate)
        assert (found.fee_pico, found.charge_pico) == (0, 0)


def test_failed_attempt_is_charged_without_the_fee() -> None:
    rate = Rate(1, SHEET, request_fee_pico=50)
    attempt = failed(seen(report=UsageReport({"input_tokens": 1}), complete=True, error="provider_fault"), rate)
    assert (attempt.cost_pico, attempt.charge_pico, attempt.bound_pico) == (MICRO, MICRO, 0)
    found = charged(replace(ANSWERED, failed=(attempt, attempt)), rate)
    assert found.charge_pico == COST_PICO + 50 + 2 * MICRO
    assert (found.fee_pico, found.cost_pico, found.note) == (50, COST_PICO, "with_failed_attempts")


def test_failed_attempt_under_charge_never_is_not_charged() -> None:
    attempt = failed(ANSWERED, policy=policy(failed="never"))
    assert (attempt.cost_pico, attempt.charge_pico) == (COST_PICO, 0)
    found = charged(replace(ANSWERED, failed=(attempt,)))
    assert (found.charge_pico, found.note, found.attempts) == (CHARGE_PICO, None, 2)


@pytest.mark.parametrize(("word", "charge_pico"), [("nothing", 0), ("bound", EXACT)])
def test_failed_attempt_with_unknown_usage_keeps_its_bound(word: str, charge_pico: int) -> None:
    attempt = failed(seen(), hold_pico=EXACT, policy=policy(word, "provider-billed"))
    assert (attempt.source, attempt.bound_pico) == (UsageSource.INTERRUPTED, EXACT)
    assert (attempt.charge_pico, attempt.cost_pico, attempt.meters) == (charge_pico, 0, {})


def test_failed_attempts_and_the_last_one_together_are_above_the_hold() -> None:
    attempt = failed(ANSWERED)
    found = charged(replace(ANSWERED, failed=(attempt,)), hold_pico=CHARGE_PICO + 1)
    assert (found.charge_pico, found.note) == (2 * CHARGE_PICO, "with_failed_attempts above_hold")


def test_failed_attempt_names_its_target_and_its_prices() -> None:
    intent = replace(INTENT, provider_id=8, model_id=9)
    attempt = failed(replace(ANSWERED, status_code=None), Rate(7, OWN, costs=Rate(1, SHEET)), intent=intent)
    assert (attempt.provider_id, attempt.model_id, attempt.price_id, attempt.cost_price_id) == (8, 9, 7, 1)
    assert (attempt.status_code, attempt.cost_pico) == (502, COST_PICO)
    refused = failed(seen(refused=True, status_code=400), Rate(7, OWN, costs=Rate(1, SHEET)))
    assert (refused.status_code, refused.cost_price_id, refused.charge_pico) == (400, None, 0)


@pytest.mark.parametrize(("word", "charge_pico"), [("nothing", 0), ("bound", EXACT)])
@pytest.mark.parametrize("rate", [RATE, None])
def test_charge_with_unknown_usage_is_nothing_or_the_hold_as_configured(
    word: str, charge_pico: int, rate: Rate | None
) -> None:
    found = charged(seen(), rate, hold_pico=EXACT, policy=policy(word))
    assert (found.source, found.charge_pico, found.cost_pico) == (UsageSource.INTERRUPTED, charge_pico, 0)
    assert (found.markup, found.status_code, found.intent) == (1, 503, INTENT)


@pytest.mark.parametrize("word", ["nothing", "bound"])
@pytest.mark.parametrize("imposed", ["standard", "batch"])
def test_charge_with_unknown_usage_equals_that_of_a_request_interrupted_by_a_crash(
    word: InterruptedCharge, imposed: str
) -> None:
    observed = seen(status_code=404, error="lost")
    found = charged(observed, hold_pico=EXACT, tokens_held=0, service_tier=imposed, policy=policy(word))
    assert found == interrupted(INTENT, EXACT, word, 404, "lost", imposed)


@pytest.mark.parametrize(("word", "charge_pico"), [("nothing", 0), ("bound", 10**9)])
def test_charge_without_price_equals_that_of_unknown_usage(word: str, charge_pico: int) -> None:
    found = charged(rate=None, policy=policy(word))
    assert (found.source, found.meters, found.charge_pico) == (UsageSource.INTERRUPTED, {}, charge_pico)
    assert charged(seen(refused=True), None).source is UsageSource.NONE


def test_charge_of_unmetered_request_is_zero() -> None:
    found = charged(metered=False)
    assert (found.source, found.charge_pico, found.meters) == (UsageSource.NONE, 0, {})


def test_price_applied_to_the_settlement_is_recorded() -> None:
    later = Rate(9, SHEET)
    assert charged(rate=later).intent.price_id == 9
    assert charged(seen(refused=True), later).intent.price_id == 1, "none was applied"


def test_cost_with_cost_sheet_is_by_that_sheet_and_charge_by_the_customer_price() -> None:
    rate = Rate(7, OWN, costs=Rate(1, SHEET))
    found = charged(rate=rate)
    assert (found.cost_pico, found.charge_pico, found.cost_price_id) == (COST_PICO, (21 + 120) * MICRO, 1)
    assert found.note is None
    nothing = charged(seen(refused=True), rate)
    assert (nothing.cost_pico, nothing.cost_price_id) == (0, None), "no price was applied"


def test_usage_without_cost_price_is_noted_and_charged() -> None:
    observed = seen(report=UsageReport({"input_tokens": 1, "web_search_calls": 2}), complete=True)
    found = charged(observed, Rate(7, OWN, costs=Rate(1, SHEET)), hold_pico=10**12)
    assert (found.note, found.cost_pico) == ("uncosted:web_search_calls", MICRO)
    alone = charged(observed, Rate(7, OWN, costs=UNKNOWN_COSTS), hold_pico=10**12)
    assert (alone.note, alone.cost_price_id) == ("uncosted:input_tokens uncosted:web_search_calls", 0)


def test_units_counted_in_the_request_without_customer_price_count_for_the_cost_only() -> None:
    letters = PriceSheet.parse({"bands": [{"prices": {"character": "15"}}]})
    spec = RequestSpec("m", counted={"characters": 1000})
    rate = Rate(7, SHEET, costs=Rate(1, letters))
    found = charged(seen(report=UsageReport({"input_tokens": 7}), complete=True), rate, spec)
    assert (found.cost_pico, found.charge_pico) == (15_000 * MICRO, 7 * MICRO)
    assert found.meters == {"input_tokens": 7, "requests": 1, "characters": 1000}
    assert found.note == "uncosted:input_tokens", "that the charge does not count the letters is no want of a price"
    silent = charged(seen(complete=True, seen_tokens=10), rate, spec)
    assert (silent.source, silent.charge_pico > 0) == (UsageSource.ESTIMATE, True), "never free for want of tokens"


def test_charge_computed_again_is_the_same_and_does_not_change_its_input() -> None:
    meters = {"input_tokens": 7}
    observed = seen(report=UsageReport(meters), complete=True)
    assert charged(observed) == charged(observed)
    assert meters == {"input_tokens": 7}


def test_end_that_was_not_seen_is_charged_all_that_was_held_whatever_the_setting_for_crashes() -> None:
    observed = seen(streamed=True, client_left=True, unseen=True, report=UsageReport({"input_tokens": 7}))
    for setting in ("nothing", "bound"):
        found = charged(observed, policy=policy(setting), hold_pico=12_345)
        assert (found.source, found.charge_pico, found.cost_pico) == (UsageSource.INTERRUPTED, 12_345, 0)
        assert (found.note, found.meters, found.fee_pico) == ("end_unseen", {}, 0)


@pytest.mark.parametrize("left", [True, False])
def test_client_that_leaves_before_a_report_pays_the_tier_that_it_asked_for(left: bool) -> None:
    observed = seen(streamed=True, client_left=left, seen_tokens=9)
    found = charged(observed, spec=RequestSpec("m", service_tier="priority"))
    assert found.service_tier == ("priority" if left else "standard")


def test_units_counted_in_a_request_without_a_price_leave_its_usage_unknown() -> None:
    found = charged(rate=None, spec=RequestSpec("m", counted={"images": 1}), policy=policy("bound"))
    assert (found.source, found.charge_pico) == (UsageSource.INTERRUPTED, 10**9)


def test_cost_of_a_tier_is_looked_for_at_the_prices_of_that_tier() -> None:
    costs = PriceSheet.parse(
        {"bands": [{"prices": {"input": "1"}}, {"prices": {"input": "1", "output": "1"}, "service_tier": "flex"}]}
    )
    report = UsageReport({"input_tokens": 7, "output_tokens": 20}, service_tier="flex")
    found = charged(seen(report=report, complete=True), Rate(1, SHEET, costs=Rate(2, costs)))
    assert "uncosted" not in str(found.note)


def test_unpriced_usage_beside_counted_units_is_noted() -> None:
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "1", "image": "0.04"}}]})
    report = UsageReport({"input_tokens": 7, "web_search_calls": 1})
    found = charged(
        seen(report=report, complete=True), Rate(1, sheet), RequestSpec("m", counted={"images": 1}), hold_pico=10**12
    )
    assert found.note == "unpriced:web_search_calls"


def test_units_counted_in_the_request_without_price_and_cost_are_not_recorded() -> None:
    rate = Rate(1, SHEET, costs=Rate(2, SHEET))
    report = UsageReport({"input_tokens": 7})
    found = charged(seen(report=report, complete=True), rate, RequestSpec("m", counted={"characters": 9}))
    assert found.meters == {"input_tokens": 7, "requests": 1}
