"""The stored shape of prices, and figures of rates that are worked out by hand."""

from decimal import Decimal

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import (
    MODES,
    PRICE_KEYS,
    STANDARD,
    UNKNOWN_COSTS,
    UNKNOWN_TIER,
    PriceBand,
    PricedMeter,
    PriceSheet,
    Rate,
    parse_markup,
    resolve,
)


def flat(**prices: str) -> PriceSheet:
    return PriceSheet.parse({"bands": [{"prices": prices}]})


def tiered(*bands: tuple[int, str, dict[str, str]]) -> PriceSheet:
    rows = [{"above_input_tokens": above, "service_tier": tier, "prices": prices} for above, tier, prices in bands]
    return PriceSheet.parse({"bands": rows})


MINI = flat(input="0.15", cached_input="0.075", output="0.6")
LONG = tiered(
    (0, STANDARD, {"input": "3", "output": "15"}),
    (200_000, STANDARD, {"input": "6", "output": "22.5"}),
)


def test_dump_of_a_sheet_is_the_stored_shape() -> None:
    sheet = tiered(
        (0, STANDARD, {"input": "0.15", "web_search": "10"}),
        (128_000, "fast", {"input": "0.0000001"}),
        (0, "fast", {"input": "1"}),
    )
    assert sheet.dump() == {
        "bands": [
            {"above_input_tokens": 0, "service_tier": "standard", "prices": {"input": "0.15", "web_search": "10"}},
            {"above_input_tokens": 0, "service_tier": "fast", "prices": {"input": "1"}},
            {"above_input_tokens": 128_000, "service_tier": "fast", "prices": {"input": "0.0000001"}},
        ]
    }


def test_price_band_without_tier_and_start_is_the_standard_one_from_zero() -> None:
    assert (PriceBand({}).above_input_tokens, PriceBand({}).service_tier) == (0, "standard")
    assert flat(input="1") == PriceSheet((PriceBand({"input_tokens": Decimal(1)}, 0, "standard"),))
    [band] = PriceSheet.parse({"bands": [{"prices": {"input": ".5"}, "above_input_tokens": "0"}]}).bands
    assert band == PriceBand({"input_tokens": Decimal("0.5")}, 0, "standard")


def test_tier_words_and_price_keys_are_those_of_stored_rows_and_price_files() -> None:
    assert (STANDARD, UNKNOWN_TIER, MODES) == ("standard", "unknown", "+")
    assert PRICE_KEYS["cache_write_1h"] == "cache_write_1h_tokens" and len(PRICE_KEYS) == len(METERS)


def test_resolve_of_a_meter_follows_its_fallbacks_to_the_end() -> None:
    band = PriceBand({"input_tokens": Decimal(3), "cache_write_5m_tokens": Decimal(4)})
    assert resolve(band, "cache_write_1h_tokens") == 4
    assert resolve(band, "cached_audio_input_tokens") == 3
    assert resolve(band, "input_tokens") == 3
    assert resolve(band, "reasoning_tokens") is None


def test_rate_without_fee_and_markup_adds_neither() -> None:
    assert Rate(1, MINI).price({}) == (0, 0, ())
    assert Rate(1, MINI, request_fee_pico=7).price({}) == (0, 7, ())


def test_lines_with_a_markup_have_the_amounts_of_both_sides() -> None:
    """1,000 × $0.15 a million, and 7.5 % on it; half a cent for the image, and 7.5 % on it."""
    rate = Rate(1, flat(input="0.15", image="0.005"), parse_markup("7.5%"), request_fee_pico=9)
    assert rate.lines({"input_tokens": 1000, "output_tokens": 5, "images": 1}) == (
        PricedMeter("input_tokens", 1000, Decimal("0.15"), 150_000_000, 161_250_000),
        PricedMeter("images", 1, Decimal("0.005"), 5_000_000_000, 5_375_000_000),
    )


def test_lines_of_sums_with_given_band_are_priced_by_that_band() -> None:
    used = {"input_tokens": 1_000_000, "output_tokens": 10}
    for band_tokens, prices in ((200_000, ("3", "15")), (200_001, ("6", "22.5")), (None, ("6", "22.5"))):
        lines = Rate(1, LONG).lines(used, STANDARD, band_tokens)
        assert [line.unit_price for line in lines] == [Decimal(price) for price in prices]


def test_free_sheet_with_cost_sheet_has_no_lines() -> None:
    assert Rate(1, PriceSheet(()), costs=Rate(2, MINI)).lines({"input_tokens": 5}) == ()


def test_price_of_a_meter_missing_in_some_band_is_unknown() -> None:
    sheet = tiered(
        (0, STANDARD, {"input": "1", "output": "2", "image": "3"}), (10, STANDARD, {"input": "1", "image": "3"})
    )
    assert not Rate(1, sheet).has_price("output_tokens")
    assert Rate(1, sheet).has_price("images") and Rate(1, sheet).has_price("audio_input_tokens")
    other = tiered((0, STANDARD, {"input": "1", "output": "2"}), (0, "flex", {"input": "1"}))
    assert not Rate(1, other).has_price("output_tokens") and Rate(1, other).has_price("input_tokens")


def test_cost_of_a_meter_with_cost_sheet_is_known_by_that_sheet_alone() -> None:
    own = Rate(1, flat(input="1", web_search="10"))
    assert own.has_cost("web_search_calls") and not own.has_cost("images")
    resold = Rate(1, flat(input="1", web_search="10"), costs=Rate(2, flat(input="1", image="2")))
    assert resold.has_cost("images") and not resold.has_cost("web_search_calls")
    assert (own.uncosted({"images": 5}), resold.uncosted({"web_search_calls": 5})) == ((), ("web_search_calls",))
    assert (own.cost_price_id, resold.cost_price_id, UNKNOWN_COSTS.price_id) == (None, 2, 0)


def test_cost_by_cost_sheet_is_of_the_served_tier() -> None:
    """A million tokens: the provider asks $3, in the fast tier $8; the customer pays $1 in both."""
    own = tiered((0, STANDARD, {"input": "1"}), (0, "priority", {"input": "1"}))
    used = {"input_tokens": 1_000_000}
    for sheet, charge_usd in ((own, "1"), (PriceSheet(()), "0")):
        rate = Rate(1, sheet, costs=Rate(2, tiered((0, STANDARD, {"input": "3"}), (0, "priority", {"input": "8"}))))
        assert rate.price(used) == (parse_usd("3"), parse_usd(charge_usd), ())
        assert rate.price(used, "priority") == (parse_usd("8"), parse_usd(charge_usd), ())
    assert Rate(1, own, costs=Rate(2, MINI)).uncosted(used, "priority") == ("service_tier",)


def test_dearest_of_a_tier_covers_the_standard_one_and_no_other() -> None:
    """A provider may fall back from what was asked for to the standard tier."""
    sheet = tiered(
        (0, STANDARD, {"input": "3", "output": "15"}),
        (0, "flex", {"input": "1", "output": "5"}),
        (0, "fast", {"input": "9", "output": "45"}),
    )
    rate = Rate(1, sheet)
    asked = {tier: rate.dearest_output(tier, 1) for tier in (STANDARD, "flex", "fast", "auto")}
    assert asked == {STANDARD: 15 * 10**6, "flex": 15 * 10**6, "fast": 45 * 10**6, "auto": 45 * 10**6}
    assert rate.dearest(("output_tokens", "input_tokens")) == 15 * 10**6
    assert rate.dearest(("images",)) == 0


def test_dearest_within_reach_is_never_below_that_of_a_lower_band() -> None:
    """A long request may be cheaper; it is held for at the dearest that it can come to."""
    rate = Rate(
        1, tiered((0, STANDARD, {"input": "5"}), (100, STANDARD, {"input": "2"}), (200, STANDARD, {"input": "7"}))
    )
    reached = {tokens: rate.dearest_input(STANDARD, tokens) for tokens in (0, 100, 101, 200, 201)}
    assert reached == {0: 5_000_000, 100: 5_000_000, 101: 5_000_000, 200: 5_000_000, 201: 7_000_000}
    assert rate.dearest_input() == 7_000_000


def test_price_sheet_with_bad_price_is_refused_with_the_name_of_the_price() -> None:
    with pytest.raises(BadInputError, match="not a price for cached_input: '-1'"):
        flat(input="1", cached_input="-1")


def test_dearest_output_is_that_of_the_bands_that_the_input_can_reach() -> None:
    rate = Rate(1, LONG)
    reached = [rate.dearest_output(STANDARD, tokens) for tokens in (200_000, 200_001, None)]
    assert reached == [15_000_000, 22_500_000, 22_500_000]


def test_tier_of_many_modes_is_priced_by_as_many_as_the_sheet_names() -> None:
    """Of four modes, the sheet knows the first two together."""
    tiers = (STANDARD, "10"), ("fast", "20"), ("fast+us", "30")
    rate = Rate(1, tiered(*((0, tier, {"input": price}) for tier, price in tiers)))
    priced = rate.price({"input_tokens": 10**6}, "fast+us+reserved+offpeak")
    assert priced == (parse_usd("30"), parse_usd("30"), ("service_tier",))
