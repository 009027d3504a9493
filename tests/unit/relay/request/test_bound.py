from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.core.base import RequestSpec, Scale
from softix_proxy.domain.catalog.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, Model, ModelStatus
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.domain.metering.bounds import NOTHING, Bound, Widening
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS
from softix_proxy.domain.pricing.rates import STANDARD, PriceSheet, Rate, parse_markup
from softix_proxy.relay.request.bound import TEMPLATE_TOKENS, bound, estimate, together, tokens_bound

MODEL = Model(1, "m", 1, "m", 100_000, 4_000, ModelStatus.ACTIVE, 1)
CALLS = ("web_search_calls", "tool_calls", "audio_ms", "images")
TIERS = (STANDARD, "flex", "priority")
PLAIN = Rate(1, PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]}))
MICRO = PICO_PER_USD // 1_000_000
"""What a token costs at a dollar a million."""


def bounded(
    spec: RequestSpec, body_bytes: int = 1000, model: Model = MODEL, rate: Rate = PLAIN, **changes: int
) -> Bound:
    return bound(spec, body_bytes, model, rate, **{"metered": True, "least_tokens": 16, **changes})  # type: ignore[arg-type]


# The hold really covers

price_texts = st.decimals(0, 1000, places=6).map(lambda price: format(price, "f"))
price_maps = st.dictionaries(
    st.sampled_from([spec.price_key for spec in METERS.values()]), price_texts, min_size=1, max_size=6
)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    bands = [{"prices": draw(price_maps)}]
    for tier in TIERS:
        starts = draw(st.sets(st.integers(1, 20_000), max_size=2)) | ({0} if tier != STANDARD else set())
        bands += [
            {"above_input_tokens": start, "service_tier": tier, "prices": draw(price_maps)} for start in sorted(starts)
        ]
    markup = draw(st.decimals(-100, 300, places=3).map(lambda percent: parse_markup(format(percent, "f"))))
    return Rate(1, PriceSheet.parse({"bands": bands}), markup, draw(st.integers(0, PICO_PER_USD)))


def parts(draw: st.DrawFn, names: frozenset[str], whole: int) -> dict[str, int]:
    """At most so many, spread over some of these meters."""
    found: dict[str, int] = {}
    for name in draw(st.lists(st.sampled_from(sorted(names)), unique=True)):
        found[name] = draw(st.integers(0, whole))
        whole -= found[name]
    return found


@given(st.data())
def test_hold_covers_every_usage_report_within_the_bound(data: st.DataObject) -> None:
    draw = data.draw
    rate = draw(rates())
    spec = RequestSpec(
        model="m",
        max_output_tokens=draw(st.none() | st.integers(0, 10_000)),
        choices=draw(st.integers(1, 5)),
        service_tier=draw(st.sampled_from(TIERS)),
        open_input=draw(st.booleans()),
        calls=draw(st.dictionaries(st.sampled_from(CALLS), st.integers(0, 20))),
    )
    context = draw(st.none() | st.integers(1, 50_000))
    model = replace(MODEL, context_tokens=context, max_output_tokens=draw(st.none() | st.integers(0, 5_000)))
    body_bytes = draw(st.integers(0, 60_000))
    found = bounded(spec, body_bytes, model, rate)
    most_input = context or DEFAULT_CONTEXT_TOKENS
    if not spec.open_input:
        most_input = min(most_input, body_bytes + TEMPLATE_TOKENS)
    limit = draw(st.integers(0, found.output_tokens))  # what admission may lower it to
    meters = {
        **parts(draw, INPUT_METERS, most_input),
        **parts(draw, OUTPUT_METERS, limit * spec.choices),
        **{name: draw(st.integers(0, most)) for name, most in spec.calls.items()},
        "requests": 1,
    }
    tier = draw(st.sampled_from((spec.service_tier, STANDARD)))
    assert rate.price(meters, tier).charge_pico <= found.hold_pico(limit)


# What it is made of


def test_bound_contains_input_and_the_output_of_all_choices() -> None:
    found = bounded(RequestSpec("m", max_output_tokens=100, choices=3))
    rounding = len(METERS)
    assert found.fixed_pico == (1000 + TEMPLATE_TOKENS) * MICRO + rounding
    assert found.hold_pico(found.output_tokens) == found.fixed_pico + 100 * 3 * 2 * MICRO
    assert not found.adjustable and found.output_tokens == 100


@pytest.mark.parametrize(
    ("asked", "most", "expected"),
    [
        (None, 4000, 4000),
        (None, None, DEFAULT_MAX_OUTPUT_TOKENS),
        (50, 4000, 50),
        (9000, 4000, 4000),
        (9000, None, 9000),
    ],
)
def test_bound_of_output_is_the_lower_of_requested_and_model_limit(
    asked: int | None, most: int | None, expected: int
) -> None:
    found = bounded(RequestSpec("m", max_output_tokens=asked), model=replace(MODEL, max_output_tokens=most))
    assert (found.output_tokens, found.adjustable) == (expected, asked is None)


def test_bound_of_input_is_limited_by_the_context() -> None:
    small = replace(MODEL, context_tokens=10)
    assert bounded(RequestSpec("m", max_output_tokens=0), 10**6, small).fixed_pico == 10 * MICRO + len(METERS)
    opened = bounded(RequestSpec("m", max_output_tokens=0, open_input=True), 1)
    assert opened.fixed_pico == 100_000 * MICRO + len(METERS)


def test_bound_with_units_counted_in_the_request_needs_a_price_for_them() -> None:
    spec = RequestSpec("m", max_output_tokens=0, counted={"characters": 2_000_000}, priced_by=("characters", "images"))
    spoken = Rate(1, PriceSheet.parse({"bands": [{"prices": {"character": "15"}}]}))
    assert bounded(spec, rate=spoken).fixed_pico == 30 * PICO_PER_USD + len(METERS)
    assert bounded(spec, rate=Rate(1, PriceSheet(()))).fixed_pico == 0
    with pytest.raises(RefusedError) as raised:
        bounded(spec)
    assert raised.value.code is Code.ENDPOINT_NOT_METERED and "character, image" in raised.value.message


def test_bound_of_model_without_output_has_no_output() -> None:
    found = bounded(RequestSpec("m"), model=replace(MODEL, max_output_tokens=0))
    assert (found.output_tokens, found.adjustable, found.token_num, found.least_tokens) == (0, False, 0, 1)


def test_bound_of_free_or_unmetered_request_is_zero() -> None:
    assert bounded(RequestSpec("m"), rate=Rate(1, PriceSheet(()))).hold_pico(4000) == 0
    assert bounded(RequestSpec("m", max_output_tokens=7), metered=False) == NOTHING


def test_bound_least_tokens_are_limited_by_the_requested_output() -> None:
    assert bounded(RequestSpec("m")).least_tokens == 16
    assert bounded(RequestSpec("m", max_output_tokens=3)).least_tokens == 3


def test_token_estimate_counts_input_and_the_output_of_all_choices() -> None:
    assert estimate(RequestSpec("m"), 4000) == 1000
    assert estimate(RequestSpec("m", max_output_tokens=100, choices=2), 4000) == 1200


# Several targets


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 5000)), min_size=2, max_size=4))
def test_bounds_together_hold_for_the_dearest_target(targets: list[tuple[int, int, int]]) -> None:
    bounds = [Bound(fixed, price, 7, most, adjustable=True) for fixed, price, most in targets]
    found = together(bounds, 1)
    assert found.output_tokens == max(most for *_, most in targets)
    for tokens in (0, 1, 100, found.output_tokens):
        assert found.hold_pico(tokens) == max(each.hold_pico(min(tokens, each.output_tokens)) for each in bounds)


@given(
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 10**4), st.integers(1, 5000)), min_size=1, max_size=4),
    st.integers(1, 5),
    st.integers(0, 10**8),
)
def test_bounds_together_with_affordable_tokens_hold_at_most_the_funds(
    targets: list[tuple[int, int, int]], times: int, funds: int
) -> None:
    found = together([Bound(fixed, price, 7, most, adjustable=True) for fixed, price, most in targets], times)
    tokens = found.affordable_tokens(funds)
    if tokens >= 0:
        assert found.hold_pico(min(tokens, found.output_tokens)) <= funds
    else:
        assert found.hold_pico(0) > funds


def test_bounds_together_of_one_target_are_its_own_bound() -> None:
    alone = Bound(5, 1, 1, 10)
    assert together([alone], 1) is alone
    assert together([alone], 3).hold_pico(10) == 3 * alone.hold_pico(10)


# Figures

ROUNDING_PICO = 19
"""Each of nineteen meters is rounded on its own, by less than a pico-USD."""


def priced(*bands: dict[str, Any], fee_pico: int = 0, markup: str = "0%") -> Rate:
    return Rate(1, PriceSheet.parse({"bands": list(bands)}), parse_markup(markup), fee_pico)


def test_bound_of_a_body_includes_room_for_a_template_and_for_rounding() -> None:
    found = bounded(RequestSpec("m", max_output_tokens=0))
    assert found == Bound((1000 + 1024) * 1_000_000 + ROUNDING_PICO, 0, 1, 0, adjustable=False, least_tokens=1)


@pytest.mark.parametrize(
    ("spec", "fixed_pico"),
    [
        (RequestSpec("m", calls={"web_search_calls": 3}), 3 * 10**10),
        (RequestSpec("m", counted={"images": 2, "characters": 5}), 2 * 4 * 10**10 + 5 * 15 * 10**6),
        (RequestSpec("m", by_size={"audio_ms": Scale(Fraction(1, 3), Fraction(1, 8))}), 334 * 10**5),
        (RequestSpec("m", calls={"tool_calls": 1}, counted={"images": 1}), 14 * 10**9 + 4 * 10**10),
    ],
)
def test_bound_with_calls_counted_units_and_size_adds_them_up(spec: RequestSpec, fixed_pico: int) -> None:
    """$10 and $14 a thousand calls, 4 cents an image, $15 a million characters, $0.0001 a second; 0.005 a request.

    A third of a thousand bytes is 333.3 ms, so that 334 are held for.
    """
    prices = {"input": "0", "output": "0", "web_search": "10", "tool_call": "14", "image": "0.04"}
    rate = priced({"prices": {**prices, "character": "15", "audio_second": "0.0001", "request": "0.005"}})
    found = bounded(replace(spec, max_output_tokens=0), 1000, rate=rate)
    assert found.fixed_pico == 5 * 10**9 + fixed_pico + ROUNDING_PICO


def test_bound_includes_the_fee_once_and_rounding_only_if_anything_costs() -> None:
    free = {"prices": {"input": "0", "output": "0"}}
    assert bounded(RequestSpec("m"), rate=priced(free)).fixed_pico == 0
    assert bounded(RequestSpec("m"), rate=priced(free, fee_pico=7)).fixed_pico == 7 + ROUNDING_PICO
    paid = bounded(RequestSpec("m", max_output_tokens=5), rate=priced({"prices": {"input": "0", "output": "2"}}))
    assert (paid.fixed_pico, paid.token_num, paid.token_den) == (ROUNDING_PICO, 2_000_000, 1)


def test_bound_of_parts_of_a_pico_is_rounded_up() -> None:
    """One pico-USD a token and half of it on top: 1.5 × 1,025 = 1,537.5; two answers cost 3 pico-USD a token."""
    rate = priced({"prices": {"input": "0.000001", "output": "0.000001"}}, markup="50%")
    found = bounded(RequestSpec("m", max_output_tokens=5, choices=2), 1, rate=rate)
    assert (found.fixed_pico, found.token_num, found.token_den) == (1538 + ROUNDING_PICO, 6, 2)


@pytest.mark.parametrize(
    ("most_input_tokens", "context_tokens", "tokens"),
    [(5000, 100_000, 5000), (500_000, 100_000, 100_000), (0, 100_000, 0), (None, None, 2024)],
)
def test_bound_of_known_input_is_that_input_and_at_most_the_context(
    most_input_tokens: int | None, context_tokens: int | None, tokens: int
) -> None:
    spec = RequestSpec("m", max_output_tokens=5, most_input_tokens=most_input_tokens)
    found = bounded(spec, model=replace(MODEL, context_tokens=context_tokens))
    assert found.fixed_pico == tokens * 1_000_000 + ROUNDING_PICO


def test_bound_of_open_input_without_a_known_context_is_a_million_tokens() -> None:
    found = bounded(RequestSpec("m", open_input=True), model=replace(MODEL, context_tokens=None))
    assert found.fixed_pico == 10**12 + ROUNDING_PICO


def test_bound_of_request_with_tier_is_by_the_prices_of_that_tier() -> None:
    rate = priced(
        {"prices": {"input": "1", "output": "2", "request": "0.001", "image": "1"}},
        {"prices": {"input": "4", "output": "8", "request": "0.003", "image": "2"}, "service_tier": "priority"},
    )
    found = bounded(RequestSpec("m", max_output_tokens=5, service_tier="priority", counted={"images": 1}), rate=rate)
    assert found.fixed_pico == 2024 * 4_000_000 + 3 * 10**9 + 2 * 10**12 + ROUNDING_PICO
    assert found.token_num == 8_000_000
    usual = bounded(RequestSpec("m", max_output_tokens=5, counted={"images": 1}), rate=rate)
    assert usual.fixed_pico == 2024 * 1_000_000 + 10**9 + 10**12 + ROUNDING_PICO


def test_bound_of_input_is_by_the_price_bands_that_it_can_reach() -> None:
    rate = priced(
        {"prices": {"input": "1", "output": "2"}}, {"prices": {"input": "3", "output": "9"}, "above_input_tokens": 2024}
    )
    below, above = (
        bounded(RequestSpec("m", max_output_tokens=5), body_bytes, rate=rate) for body_bytes in (1000, 1001)
    )
    assert (below.fixed_pico, below.token_num) == (2024 * 1_000_000 + ROUNDING_PICO, 2_000_000)
    assert (above.fixed_pico, above.token_num) == (2025 * 3_000_000 + ROUNDING_PICO, 9_000_000)


def test_bound_of_request_without_writable_limit_is_not_adjustable() -> None:
    assert bounded(RequestSpec("m")).adjustable
    assert not bounded(RequestSpec("m", adjustable=False)).adjustable


def test_token_estimate_with_part_of_a_token_is_rounded_down() -> None:
    assert (estimate(RequestSpec("m"), 4003), type(estimate(RequestSpec("m"), 4003))) == (1000, int)


def test_bound_with_one_of_several_required_prices_is_accepted() -> None:
    spec = RequestSpec("m", max_output_tokens=0, counted={"images": 1}, priced_by=("characters", "images"))
    assert bounded(spec, rate=priced({"prices": {"image": "0.04"}})).fixed_pico == 4 * 10**10 + ROUNDING_PICO
    with pytest.raises(RefusedError, match=r"The price of m names nothing .*: character, image"):
        bounded(spec, rate=priced({"prices": {"input": "1"}}))


def test_bounds_together_are_adjustable_if_any_is_and_have_the_highest_least_tokens() -> None:
    fixed, open_ = Bound(5, 1, 1, 10, False, 5), Bound(7, 1, 1, 20, True, 3)
    assert together([fixed, open_], 2) == Bound(
        output_tokens=20, adjustable=True, least_tokens=5, times=2, targets=(fixed, open_)
    )
    assert not together([fixed, fixed], 1).adjustable
    assert together([open_], 2) == replace(open_, times=2)


def test_bound_of_several_inputs_and_rounds_multiplies_the_tokens() -> None:
    several = bounded(RequestSpec("m", max_output_tokens=0, open_input=True, inputs=3))
    assert several.fixed_pico == 3 * 100_000 * MICRO + ROUNDING_PICO
    repeated = bounded(RequestSpec("m", max_output_tokens=0, rounds=3))
    assert repeated.fixed_pico == 3 * 2024 * MICRO + ROUNDING_PICO


@pytest.mark.parametrize(
    ("context_tokens", "body_bytes", "heard"), [(3000, 1000, 3000), (3000, 200, 2000), (None, 200_000, 2_000_000)]
)
def test_bound_of_input_by_size_is_limited_by_a_known_context_and_time_is_not(
    context_tokens: int | None, body_bytes: int, heard: int
) -> None:
    """Ten tokens of sound, and ten milliseconds at a millionth of a dollar a second, for each byte."""
    ten = Scale(Fraction(10), Fraction(1))
    spec = RequestSpec("m", max_output_tokens=0, by_size={"audio_input_tokens": ten, "audio_ms": ten})
    rate = priced({"prices": {"input": "0", "audio_input": "1", "audio_second": "0.000001"}})
    model = replace(MODEL, context_tokens=context_tokens)
    found = bounded(replace(spec, most_input_tokens=0), body_bytes, model, rate)
    assert found.fixed_pico == heard * MICRO + 10 * body_bytes * MICRO // 1000 + ROUNDING_PICO


def test_bound_with_a_prediction_includes_it_as_output_of_each_choice() -> None:
    found = bounded(RequestSpec("m", max_output_tokens=0, predicted_tokens=50, choices=2))
    assert found.fixed_pico == (2024 + 2 * 50 * 2) * MICRO + ROUNDING_PICO


def test_bound_of_standard_output_is_by_the_standard_price() -> None:
    rate = priced(
        {"prices": {"input": "1", "output": "2"}},
        {"prices": {"input": "4", "output": "8"}, "service_tier": "priority"},
    )
    assert bounded(RequestSpec("m", max_output_tokens=5), rate=rate).token_num == 2_000_000


def test_bound_of_a_standard_prediction_is_by_the_standard_price() -> None:
    rate = priced(
        {"prices": {"input": "0", "output": "2"}},
        {"prices": {"input": "0", "output": "8"}, "service_tier": "priority"},
    )
    found = bounded(RequestSpec("m", max_output_tokens=0, predicted_tokens=50), rate=rate)
    assert found.fixed_pico == 50 * 2 * MICRO + ROUNDING_PICO


def test_bound_of_a_single_output_token_is_adjustable() -> None:
    assert bounded(RequestSpec("m"), model=replace(MODEL, max_output_tokens=1)).adjustable


def test_bound_of_what_costs_something_is_widened() -> None:
    wider = Widening(70, 1000, 700)
    assert bounded(RequestSpec("m"), widening=wider).widening is wider  # type: ignore[arg-type] # it is no number
    free = bounded(RequestSpec("m"), rate=Rate(1, PriceSheet(())), widening=wider)  # type: ignore[arg-type] # as above
    assert free.widening is None


def test_bound_of_a_prediction_is_by_the_tier_and_the_band_of_the_request() -> None:
    """$8 a million in priority, and $16 above 2,024 tokens: 1,001 bytes are 2,025 with the template."""
    bands = [
        {"prices": {"input": "0", "output": "2"}},
        {"prices": {"input": "0", "output": "8"}, "service_tier": "priority"},
        {"prices": {"input": "0", "output": "16"}, "service_tier": "priority", "above_input_tokens": 2024},
    ]
    spec = RequestSpec("m", max_output_tokens=0, predicted_tokens=50, service_tier="priority")
    below, above = (bounded(spec, body_bytes, rate=priced(*bands)) for body_bytes in (1000, 1001))
    assert below.fixed_pico == 50 * 8 * MICRO + ROUNDING_PICO
    assert above.fixed_pico == 50 * 16 * MICRO + ROUNDING_PICO


def test_tokens_bound_is_the_input_and_the_longest_output_of_all_choices() -> None:
    bounds = [Bound(output_tokens=50), Bound(output_tokens=300), Bound(output_tokens=7)]
    found = tokens_bound(RequestSpec("m", choices=2), 4003, bounds)
    assert (found, type(found)) == (1000 + 2 * 300, int)
