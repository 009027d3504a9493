from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.base import Ask
from softix_proxy.domain.admission import NOTHING, Bound
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, Model, ModelStatus
from softix_proxy.domain.money import PICO_PER_USD
from softix_proxy.domain.pricing import STANDARD, PriceSheet, Rate, parse_markup
from softix_proxy.domain.usage import INPUT_METERS, METERS, OUTPUT_METERS
from softix_proxy.relay.bound import TEMPLATE_TOKENS, bound, estimate, together

MODEL = Model(1, "m", 1, "m", 100_000, 4_000, ModelStatus.ACTIVE, 1)
CALLS = ("web_search_calls", "tool_calls", "audio_ms", "images")
TIERS = (STANDARD, "flex", "priority")
PLAIN = Rate(1, PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]}))
MICRO = PICO_PER_USD // 1_000_000
"""What a token costs at a dollar a million."""


def bounded(ask: Ask, body_bytes: int = 1000, model: Model = MODEL, rate: Rate = PLAIN, **changes: int) -> Bound:
    return bound(ask, body_bytes, model, rate, **{"metered": True, "least_tokens": 16, **changes})  # type: ignore[arg-type]


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
def test_no_report_within_the_bound_costs_more_than_the_hold(data: st.DataObject) -> None:
    draw = data.draw
    rate = draw(rates())
    ask = Ask(
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
    found = bounded(ask, body_bytes, model, rate)
    most_input = context or DEFAULT_CONTEXT_TOKENS
    if not ask.open_input:
        most_input = min(most_input, body_bytes + TEMPLATE_TOKENS)
    limit = draw(st.integers(0, found.output_tokens))  # what admission may lower it to
    meters = {
        **parts(draw, INPUT_METERS, most_input),
        **parts(draw, OUTPUT_METERS, limit * ask.choices),
        **{name: draw(st.integers(0, most)) for name, most in ask.calls.items()},
        "requests": 1,
    }
    tier = draw(st.sampled_from((ask.service_tier, STANDARD)))
    assert rate.price(meters, tier).charge_pico <= found.hold_pico(limit)


# What it is made of


def test_input_output_and_choices() -> None:
    found = bounded(Ask("m", max_output_tokens=100, choices=3))
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
def test_output_is_what_was_asked_and_the_model_can(asked: int | None, most: int | None, expected: int) -> None:
    found = bounded(Ask("m", max_output_tokens=asked), model=replace(MODEL, max_output_tokens=most))
    assert (found.output_tokens, found.adjustable) == (expected, asked is None)


def test_the_context_bounds_the_input() -> None:
    small = replace(MODEL, context_tokens=10)
    assert bounded(Ask("m", max_output_tokens=0), 10**6, small).fixed_pico == 10 * MICRO + len(METERS)
    opened = bounded(Ask("m", max_output_tokens=0, open_input=True), 1)
    assert opened.fixed_pico == 100_000 * MICRO + len(METERS)


def test_what_the_request_counts_is_held_and_has_to_have_a_price() -> None:
    ask = Ask("m", max_output_tokens=0, counted={"characters": 2_000_000}, priced_by=("characters", "images"))
    spoken = Rate(1, PriceSheet.parse({"bands": [{"prices": {"character": "15"}}]}))
    assert bounded(ask, rate=spoken).fixed_pico == 30 * PICO_PER_USD + len(METERS)
    assert bounded(ask, rate=Rate(1, PriceSheet(()))).fixed_pico == 0
    with pytest.raises(RefusedError) as raised:
        bounded(ask)
    assert raised.value.code is Code.ENDPOINT_NOT_METERED and "character, image" in raised.value.message


def test_what_makes_no_output_needs_none() -> None:
    found = bounded(Ask("m"), model=replace(MODEL, max_output_tokens=0))
    assert (found.output_tokens, found.adjustable, found.token_num, found.least_tokens) == (0, False, 0, 1)


def test_free_and_unmetered_hold_nothing() -> None:
    assert bounded(Ask("m"), rate=Rate(1, PriceSheet(()))).hold_pico(4000) == 0
    assert bounded(Ask("m", max_output_tokens=7), metered=False) == NOTHING


def test_the_least_useful_answer() -> None:
    assert bounded(Ask("m")).least_tokens == 16
    assert bounded(Ask("m", max_output_tokens=3)).least_tokens == 3


def test_an_estimate_for_the_tokens_a_minute() -> None:
    assert estimate(Ask("m"), 4000) == 1000
    assert estimate(Ask("m", max_output_tokens=100, choices=2), 4000) == 1200


# Several targets


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 5000)), min_size=2, max_size=4))
def test_the_dearest_target_counts(targets: list[tuple[int, int, int]]) -> None:
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
def test_what_is_affordable_is_held(targets: list[tuple[int, int, int]], times: int, funds: int) -> None:
    found = together([Bound(fixed, price, 7, most, adjustable=True) for fixed, price, most in targets], times)
    tokens = found.affordable_tokens(funds)
    if tokens >= 0:
        assert found.hold_pico(min(tokens, found.output_tokens)) <= funds
    else:
        assert found.hold_pico(0) > funds


def test_one_target_alone_is_its_own_bound() -> None:
    alone = Bound(5, 1, 1, 10)
    assert together([alone], 1) is alone
    assert together([alone], 3).hold_pico(10) == 3 * alone.hold_pico(10)
