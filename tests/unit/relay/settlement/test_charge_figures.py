"""What a settlement takes over from what was seen and admitted, and its notes where several come together."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from support.books import make_intent
from support.observations import seen

from softix_proxy.dialects.core.base import RequestSpec, UsageReport
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.charge import WITH_FAILED_ATTEMPTS, HoldTerms, charge, charge_failed

MICRO = 10**6
"""What a token costs at a dollar a million."""
INTENT = make_intent(5, 0, price_id=1)
SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
NEVER = Policy(16, "nothing", 5.0, 1_000_000, "never")
BILLED = replace(NEVER, charge_failed_attempts="provider-billed")
FAILED = FailedAttempt(1, 1, 1, Fraction(1), UsageSource.ESTIMATE, 503, None, 7, charge_pico=3 * MICRO)


def test_hold_terms_with_required_fields_only_are_those_of_a_metered_request() -> None:
    terms = HoldTerms(INTENT, 5, postpaid=False)
    assert (terms.tokens_held, terms.metered, terms.service_tier) == (0, True, "standard")
    assert WITH_FAILED_ATTEMPTS == "with_failed_attempts"


def test_settlement_contains_the_observed_and_the_admitted_figures() -> None:
    observed = seen(
        complete=True,
        report=UsageReport({"input_tokens": 1}, model_served="m2"),
        status_code=201,
        error="provider_fault",
        latency_ms=70,
        ttfb_ms=30,
        failed=(FAILED,),
    )
    found = charge(RequestSpec("m"), observed, Rate(1, SHEET), HoldTerms(INTENT, 10**9, False, 11), NEVER)
    assert (found.hold_pico, found.tokens_held, found.intent) == (10**9, 11, INTENT)
    assert (found.status_code, found.error, found.latency_ms, found.ttfb_ms) == (201, "provider_fault", 70, 30)
    assert (found.model_served, found.failed, found.attempts) == ("m2", (FAILED,), 2)


def test_settlement_with_several_notes_has_all_of_them_in_order() -> None:
    """$1 and $2 a million: 10 tokens each are 30 micro-USD, of which 20 are held; 3 for what failed."""
    report = UsageReport({"input_tokens": 10, "output_tokens": 10, "images": 1}, clamped=True, unpriced=("shell",))
    costs = Rate(2, PriceSheet.parse({"bands": [{"prices": {"input": "1"}}]}))
    observed = seen(complete=True, report=report, failed=(FAILED,))
    found = charge(RequestSpec("m"), observed, Rate(1, SHEET, costs=costs), HoldTerms(INTENT, 20 * MICRO, False), NEVER)
    assert found.note == (
        "clamped unpriced:images unpriced:shell uncosted:output_tokens uncosted:images with_failed_attempts above_hold"
    )
    assert (found.charge_pico, found.cost_pico) == (33 * MICRO, 10 * MICRO)


def test_settlement_notes_of_an_estimate_follow_that_of_a_clamped_report() -> None:
    report = UsageReport({"output_tokens": 4}, clamped=True)
    found = charge(
        RequestSpec("m"),
        seen(complete=True, report=report, request_bytes=8),
        Rate(1, SHEET),
        HoldTerms(INTENT, 10**9, False),
        NEVER,
    )
    assert (found.note, found.charge_pico) == ("clamped implausible_usage", 8 * MICRO + 4 * 2 * MICRO)
    unknown = charge(
        RequestSpec("m"),
        seen(complete=True, seen_tokens=3, request_bytes=None, failed=(FAILED,)),
        Rate(1, SHEET),
        HoldTerms(INTENT, 10**9, False),
        NEVER,
    )
    assert (unknown.note, unknown.charge_pico) == ("input_unknown with_failed_attempts", 3 * 2 * MICRO + 3 * MICRO)


def test_charges_of_several_failed_attempts_are_added_up() -> None:
    observed = seen(refused=True, failed=(FAILED, replace(FAILED, charge_pico=4 * MICRO)))
    found = charge(RequestSpec("m"), observed, Rate(1, SHEET), HoldTerms(INTENT, 10**9, False), NEVER)
    assert (found.charge_pico, found.cost_pico, found.note) == (7 * MICRO, 0, "with_failed_attempts")


def test_failed_attempt_contains_its_observed_figures() -> None:
    observed = seen(
        report=UsageReport({"input_tokens": 5}, service_tier="flex"),
        error="provider_fault",
        status_code=429,
        latency_ms=70,
    )
    sheet = PriceSheet.parse(
        {
            "bands": [
                {"prices": {"input": "1", "output": "2"}},
                {"prices": {"input": "4", "output": "8"}, "service_tier": "flex"},
            ]
        }
    )
    rate = Rate(3, sheet, Fraction(3, 2), costs=Rate(4, SHEET))
    found = charge_failed(RequestSpec("m"), observed, rate, HoldTerms(INTENT, 10**9, False), BILLED)
    assert (found.price_id, found.cost_price_id, found.markup, found.service_tier) == (3, 4, Fraction(3, 2), "flex")
    assert (found.source, found.status_code, found.error, found.latency_ms) == (
        UsageSource.PARTIAL,
        429,
        "provider_fault",
        70,
    )
    assert (found.meters, found.cost_pico, found.charge_pico) == (
        {"input_tokens": 5, "output_tokens": 0, "requests": 1},
        5 * MICRO,
        30 * MICRO,
    )
    assert (
        charge_failed(RequestSpec("m"), observed, Rate(3, sheet), HoldTerms(INTENT, 10**9, False), NEVER).cost_price_id
        is None
    )


def test_units_counted_in_the_request_without_any_price_are_not_charged() -> None:
    spec = RequestSpec("m", counted={"images": 2, "characters": 9})
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "1", "image": "0.04"}}]})
    observed = seen(complete=True, report=UsageReport({"input_tokens": 5}))
    found = charge(spec, observed, Rate(1, sheet), HoldTerms(INTENT, 10**12, False), NEVER)
    assert found.meters == {"input_tokens": 5, "images": 2, "requests": 1}
    assert (found.charge_pico, found.note) == (5 * MICRO + 8 * 10**10, None)
    both = Rate(1, sheet, costs=Rate(2, PriceSheet.parse({"bands": [{"prices": {"input": "1", "image": "0.03"}}]})))
    assert charge(spec, observed, both, HoldTerms(INTENT, 10**12, False), NEVER).cost_pico == 5 * MICRO + 6 * 10**10


def test_charge_of_unknown_usage_after_a_failed_attempt_is_the_hold_for_both() -> None:
    """Nothing was reported. The hold is for all attempts together, so that what failed is a part of it."""
    bound = replace(BILLED, interrupted_charge="bound")
    found = charge(RequestSpec("m"), seen(failed=(FAILED,)), Rate(1, SHEET), HoldTerms(INTENT, 9 * MICRO, False), bound)
    assert (found.source, found.charge_pico, found.failed) == (UsageSource.INTERRUPTED, 9 * MICRO, (FAILED,))
    assert found.note == "with_failed_attempts"
