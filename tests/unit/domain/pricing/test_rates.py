from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import PICO_PER_USD, parse_usd
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS, total
from softix_proxy.domain.pricing.rates import (
    NEVER_DEARER,
    STANDARD,
    UNKNOWN_TIER,
    PriceBand,
    PriceSheet,
    Rate,
    parse_markup,
    parse_price,
)

USD = PICO_PER_USD


def flat(**prices: str) -> PriceSheet:
    return PriceSheet.parse({"bands": [{"prices": prices}]})


def tiered(*bands: tuple[int, str, dict[str, str]]) -> PriceSheet:
    rows = [{"above_input_tokens": above, "service_tier": tier, "prices": prices} for above, tier, prices in bands]
    return PriceSheet.parse({"bands": rows})


MINI = flat(input="0.15", cached_input="0.075", output="0.6")
LONG = tiered(
    (0, STANDARD, {"input": "3", "cached_input": "0.3", "output": "15"}),
    (200_000, STANDARD, {"input": "6", "cached_input": "0.6", "output": "22.5"}),
    (0, "priority", {"input": "8", "output": "40"}),
)

# Strategies

price_texts = st.decimals(0, 1000, places=6).map(lambda price: format(price, "f"))
price_keys = st.sampled_from([spec.price_key for spec in METERS.values()])
prices = st.dictionaries(price_keys, price_texts, min_size=1)


@st.composite
def sheets(draw: st.DrawFn) -> PriceSheet:
    bands = [(0, STANDARD, draw(prices))]
    for tier in draw(st.lists(st.sampled_from([STANDARD, "flex", "priority"]), unique=True)):
        if tier != STANDARD:
            bands.append((0, tier, draw(prices)))
        starts = draw(st.lists(st.integers(1, 500_000), unique=True, max_size=2))
        bands += [(above, tier, draw(prices)) for above in starts]
    return tiered(*draw(st.permutations(bands)))


markups = st.decimals(-100, 1000, places=4).map(lambda percent: parse_markup(format(percent, "f")))
rates = st.builds(Rate, st.just(1), sheets(), markups, st.integers(0, USD))
meters = st.dictionaries(st.sampled_from(sorted(METERS)), st.integers(0, 300_000))
tiers = st.sampled_from([STANDARD, "flex", "priority", "auto"])

# Parsing


@given(sheets())
def test_price_sheet_dumped_and_parsed_returns_the_same_sheet(sheet: PriceSheet) -> None:
    assert PriceSheet.parse(sheet.dump()) == sheet


def test_price_sheet_declared_free_is_free_and_zero_prices_are_not() -> None:
    assert PriceSheet.parse({"free": True}).free
    assert PriceSheet.parse({"free": True}).dump() == {"free": True}
    assert not flat(input="0").free


@pytest.mark.parametrize("absent", [{}, {"bands": []}, {"free": False}, {"free": "yes"}, {"bands": [{"prices": {}}]}])
def test_price_sheet_without_prices_is_refused(absent: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        PriceSheet.parse(absent)


@pytest.mark.parametrize(
    "bands",
    [
        [{"above_input_tokens": 1, "prices": {"input": "1"}}],
        [{"service_tier": "flex", "prices": {"input": "1"}}],
        [{"prices": {"input": "1"}}, {"service_tier": "flex", "above_input_tokens": 5, "prices": {"input": "1"}}],
        [{"prices": {"input": "1"}}, {"prices": {"input": "2"}}],
        [{"prices": {"input": "1"}}, {"above_input_tokens": -1, "prices": {"input": "2"}}],
        [{"above_input_tokens": 0}],
        [{"prices": {"inputs": "1"}}],
        [{"prices": {"input_tokens": "1"}}],
        [{"prices": {"input": "-1"}}],
        [{"prices": {"input": 0.15e-9}}],
    ],
)
def test_price_sheet_that_leaves_a_request_without_one_price_is_refused(bands: list[dict[str, Any]]) -> None:
    with pytest.raises(BadInputError) as caught:
        PriceSheet.parse({"bands": bands})
    assert caught.value.remedy


def test_price_bands_are_sorted_with_the_standard_tier_first() -> None:
    sheet = tiered((9, STANDARD, {"input": "2"}), (0, "flex", {"input": "3"}), (0, STANDARD, {"input": "1"}))
    assert [(band.service_tier, band.above_input_tokens) for band in sheet.bands] == [
        (STANDARD, 0),
        (STANDARD, 9),
        ("flex", 0),
    ]
    assert sheet.tiers() == {STANDARD, "flex"}


@pytest.mark.parametrize("text", ["0", "0.15", ".15", "999999.999999999999", "0.000000000001"])
def test_parse_price_with_plain_decimal_returns_the_exact_price(text: str) -> None:
    assert parse_price("input", text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e-3", "1,5", "1_0", "NaN", "Infinity", "1000000", "0.0000000000001", "٣"]
)
def test_parse_price_with_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a price for input"):
        parse_price("input", text)


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("7.5%", Fraction(43, 40)),
        ("7.5", Fraction(43, 40)),
        ("0%", Fraction(1)),
        ("-100%", Fraction(0)),
        ("-10 %", Fraction(9, 10)),
        ("10000%", Fraction(101)),
        (" 33.333333% ", 1 + Fraction(33333333, 10**8)),
    ],
)
def test_parse_markup_with_percentage_returns_an_exact_factor(text: str, factor: Fraction) -> None:
    assert parse_markup(text) == factor


@pytest.mark.parametrize(
    "text", ["", "%", "7,5%", "1e2", "nan", "inf", "-100.1%", "10001%", "7.5%%", "7.5x", "٣%", "10000.000001%"]
)
def test_parse_markup_with_bad_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_markup(text)


# Money


def test_price_of_one_thousand_input_and_five_hundred_output_tokens_is_exact() -> None:
    priced = Rate(1, MINI).price({"input_tokens": 1000, "output_tokens": 500})
    assert priced == (parse_usd("0.00045"), parse_usd("0.00045"), ())


def test_markup_of_rate_changes_the_charge_and_not_the_cost() -> None:
    rate = Rate(1, MINI, parse_markup("7.5%"))
    priced = rate.price({"input_tokens": 1000, "cached_input_tokens": 3, "output_tokens": 500})
    assert priced.cost_pico == parse_usd("0.000450225")
    assert priced.charge_pico == parse_usd("0.000483991875")


def test_lines_with_markup_and_fee_add_up_to_the_price() -> None:
    rate = Rate(1, MINI, parse_markup("7.5%"), request_fee_pico=parse_usd("0.001"))
    used = {"input_tokens": 1000, "cached_input_tokens": 3, "output_tokens": 500, "tool_calls": 1}
    lines, priced = rate.lines(used), rate.price(used)
    assert [(line.meter, line.quantity, line.unit_price) for line in lines] == [
        ("input_tokens", 1000, Decimal("0.15")),
        ("cached_input_tokens", 3, Decimal("0.075")),
        ("output_tokens", 500, Decimal("0.6")),
    ]
    assert sum(line.cost_pico for line in lines) == priced.cost_pico
    assert sum(line.charge_pico for line in lines) + parse_usd("0.001") == priced.charge_pico
    assert priced.unpriced == ("tool_calls",)


def test_price_of_half_a_pico_is_rounded_half_even_once_a_meter() -> None:
    rate = Rate(1, flat(input="0.000001", output="0.000001"), parse_markup("50%"))
    assert rate.price({"input_tokens": 1}).charge_pico == 2
    assert rate.price({"input_tokens": 3}).charge_pico == 4
    assert rate.price({"input_tokens": 1, "output_tokens": 1}).charge_pico == 4
    assert rate.price({"input_tokens": 2}).charge_pico == 3


@pytest.mark.parametrize(
    ("meter", "quantity", "usd"),
    [
        ("web_search_calls", 3, "0.03"),
        ("audio_ms", 61_500, "0.00615"),
        ("images", 2, "0.08"),
        ("requests", 1, "0.005"),
        ("image_input_tokens", 1000, "0.008"),
        ("cached_image_input_tokens", 1000, "0.002"),
        ("search_units", 3, "0.006"),
        ("characters", 4_000, "0.06"),
    ],
)
def test_price_of_each_meter_is_by_its_own_unit(meter: str, quantity: int, usd: str) -> None:
    sheet = flat(
        web_search="10",
        audio_second="0.0001",
        image="0.04",
        request="0.005",
        image_input="8",
        cached_image_input="2",
        search_unit="2",
        character="15",
    )
    assert Rate(1, sheet).price({meter: quantity}).cost_pico == parse_usd(usd)


@pytest.mark.parametrize(
    ("meter", "usd_a_million"),
    [
        ("cached_input_tokens", "3"),
        ("cache_write_5m_tokens", "3.75"),
        ("cache_write_1h_tokens", "3.75"),
        ("audio_input_tokens", "3"),
        ("cached_audio_input_tokens", "3"),
        ("reasoning_tokens", "15"),
        ("image_output_tokens", "15"),
    ],
)
def test_meter_without_price_costs_what_its_fallback_costs(meter: str, usd_a_million: str) -> None:
    rate = Rate(1, flat(input="3", cache_write_5m="3.75", output="15"))
    assert rate.price({meter: 1_000_000}) == (parse_usd(usd_a_million), parse_usd(usd_a_million), ())


def test_meter_without_price_and_fallback_is_named_as_unpriced_if_it_was_used() -> None:
    rate = Rate(1, flat(input="1"))
    assert rate.price({"input_tokens": 1, "output_tokens": 5, "web_search_calls": 0, "requests": 1}).unpriced == (
        "output_tokens",
    )
    assert rate.has_price("cached_input_tokens")
    assert not rate.has_price("output_tokens")


def test_free_sheet_costs_nothing_and_leaves_nothing_unpriced() -> None:
    rate = Rate(1, PriceSheet.parse({"free": True}), parse_markup("7.5%"))
    assert rate.price({"input_tokens": 10**9, "web_search_calls": 5}) == (0, 0, ())
    assert rate.lines({"input_tokens": 10**9}) == ()
    assert rate.dearest_input() == rate.dearest_output("priority") == 0
    assert rate.has_price("output_tokens")


@pytest.mark.parametrize(
    ("used", "usd"),
    [
        ({"input_tokens": 200_000}, "0.6"),
        ({"input_tokens": 200_001}, "1.200006"),
        ({"input_tokens": 1, "cached_input_tokens": 200_000}, "0.120006"),
        ({"cache_write_5m_tokens": 200_001}, "1.200006"),
        ({"input_tokens": 100_000, "output_tokens": 150_000}, "2.55"),
        ({}, "0"),
    ],
)
def test_price_band_applies_strictly_above_its_start_in_input_tokens(used: dict[str, int], usd: str) -> None:
    assert Rate(1, LONG).price(used).cost_pico == parse_usd(usd)


def test_tier_without_prices_costs_the_standard_price_and_is_named_as_unpriced() -> None:
    rate, used = Rate(1, LONG), {"input_tokens": 300_000, "cached_input_tokens": 1_000_000}
    assert rate.price(used, "priority").cost_pico == parse_usd("10.4")
    assert rate.price(used) == rate.price(used, STANDARD)
    assert rate.price(used, "scale") == rate.price(used)._replace(unpriced=("service_tier",))
    assert Rate(1, PriceSheet(())).price(used, "scale").unpriced == ()
    assert rate.lines(used, "scale") == rate.lines(used)


@pytest.mark.parametrize(
    ("served", "usd", "unpriced"),
    [
        ("fast+us", "30", ()),
        ("us", "11", ()),
        ("fast", "20", ()),
        ("batch+us", "11", ("service_tier",)),
        ("fast+reserved", "20", ("service_tier",)),
        ("fast+us+reserved", "30", ("service_tier",)),
        ("reserved+offpeak", "10", ("service_tier",)),
    ],
)
def test_tier_of_several_modes_costs_their_joint_price_or_that_of_the_nearest_tier(
    served: str, usd: str, unpriced: tuple[str, ...]
) -> None:
    tiers = ((STANDARD, "10"), ("fast", "20"), ("us", "11"), ("fast+us", "30"))
    rate, used = Rate(1, tiered(*((0, tier, {"input": price}) for tier, price in tiers))), {"input_tokens": 10**6}
    assert rate.price(used, served) == (parse_usd(usd), parse_usd(usd), unpriced)
    assert [line.unit_price for line in rate.lines(used, served)] == [Decimal(usd)]


def test_price_bands_in_any_order_are_applied_by_their_start() -> None:
    bands = [PriceBand({"input_tokens": Decimal(price)}, above) for price, above in ((2, 10), (3, 20), (1, 0))]
    rate = Rate(1, PriceSheet(tuple(bands)))
    assert [rate.price({"input_tokens": n}).cost_pico for n in (10, 20, 21)] == [10 * 10**6, 40 * 10**6, 63 * 10**6]


# Bounds


@pytest.mark.parametrize(
    ("tier", "input_tokens", "usd_a_million"),
    [
        (STANDARD, None, "6"),
        (STANDARD, 0, "3"),
        (STANDARD, 200_000, "3"),
        (STANDARD, 200_001, "6"),
        ("priority", None, "8"),
        ("auto", 1, "8"),
    ],
)
def test_dearest_input_is_that_of_the_bands_within_reach(
    tier: str, input_tokens: int | None, usd_a_million: str
) -> None:
    assert Rate(1, LONG).dearest_input(tier, input_tokens) * 10**6 == parse_usd(usd_a_million)


def test_dearest_input_and_output_include_audio_and_the_markup() -> None:
    rate = Rate(1, flat(input="2.5", audio_input="40", output="10", audio_output="80"), parse_markup("10%"))
    assert rate.dearest_input() == 44 * 10**6
    assert rate.dearest_output() == 88 * 10**6
    assert rate.dearest(("web_search_calls",)) == 0


@given(rates, meters, tiers, tiers)
def test_price_of_any_request_is_at_most_its_bound(rate: Rate, used: dict[str, int], asked: str, served: str) -> None:
    """Served in the tier that was asked for, in the standard one, or, where the provider chooses, in any."""
    if asked in rate.sheet.tiers() and served not in (asked, STANDARD):
        served = asked
    input_tokens = total(used, INPUT_METERS)
    bound = (
        rate.dearest_input(asked, input_tokens) * input_tokens
        + rate.dearest_output(asked, input_tokens) * total(used, OUTPUT_METERS)
        + sum(
            rate.dearest((name,), asked, input_tokens) * quantity
            for name, quantity in used.items()
            if METERS[name].side == "call"
        )
        + rate.request_fee_pico
    )
    rounding = ceil(Fraction(len(used), 2))
    assert rate.price(used, served).charge_pico <= ceil(bound) + rounding


@given(rates, meters, tiers)
def test_dearest_with_tighter_reach_is_never_higher(rate: Rate, used: dict[str, int], tier: str) -> None:
    input_tokens = total(used, INPUT_METERS)
    assert rate.dearest_input(tier, input_tokens) <= rate.dearest_input(tier)
    assert rate.dearest_output(tier, input_tokens) <= rate.dearest_output(tier, input_tokens + 1)


@given(rates, meters, tiers)
def test_price_of_any_request_is_the_sum_of_its_lines_within_half_a_pico_each(
    rate: Rate, used: dict[str, int], tier: str
) -> None:
    priced, lines = rate.price(used, tier), rate.lines(used, tier)
    assert priced.cost_pico == sum(line.cost_pico for line in lines)
    assert priced.charge_pico == sum(line.charge_pico for line in lines) + rate.request_fee_pico
    for line in lines:
        exact = Fraction(line.unit_price) * line.quantity * PICO_PER_USD / METERS[line.meter].per
        assert abs(line.cost_pico - exact) <= Fraction(1, 2)
        assert abs(line.charge_pico - exact * rate.markup) <= Fraction(1, 2)
    reported = {name for name, quantity in used.items() if quantity and name != "requests"}
    assert reported <= {line.meter for line in lines} | set(priced.unpriced)


@given(rates, meters, tiers)
def test_price_computed_again_is_the_same(rate: Rate, used: dict[str, int], tier: str) -> None:
    fresh = Rate(rate.price_id, rate.sheet, rate.markup, rate.request_fee_pico)
    assert fresh == rate
    assert rate.price(used, tier) == rate.price(used, tier) == fresh.price(used, tier)


def test_tier_that_the_sheet_names_is_covered_and_a_free_model_covers_all() -> None:
    bands = [{"prices": {"input": "1"}}, {"prices": {"input": "2"}, "service_tier": "priority"}]
    rate = Rate(1, PriceSheet.parse({"bands": bands}))
    assert [rate.has_tier(tier) for tier in ("standard", "priority", "fast", UNKNOWN_TIER)] == [
        True,
        True,
        False,
        False,
    ]
    assert Rate(1, PriceSheet.parse({"free": True})).has_tier("fast")


def test_meter_with_a_price_of_its_own_in_each_band_is_stated() -> None:
    bands = [{"prices": {"input": "1", "audio_input": "9"}}, {"prices": {"input": "2"}, "service_tier": "priority"}]
    rate = Rate(1, PriceSheet.parse({"bands": bands}))
    assert rate.states("input_tokens") and rate.has_price("audio_input_tokens")
    assert not rate.states("audio_input_tokens")
    assert Rate(1, PriceSheet.parse({"free": True})).states("audio_input_tokens")


def test_tiers_that_are_never_dearer_are_those_whose_answers_may_take_longer() -> None:
    assert sorted(NEVER_DEARER) == ["batch", "flex", "offpeak"]
