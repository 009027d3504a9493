from decimal import Decimal
from typing import Any

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.price_changes import (
    OddPrice,
    UnitPriceChange,
    differences,
    merged,
    oddities,
    place_name,
    place_options,
    remedy,
    unit_prices,
)
from softix_proxy.domain.pricing.rates import PRICE_KEYS, PriceSheet, Rate


def sheet(*bands: dict[str, Any]) -> PriceSheet:
    """Each: prices, and if need be `tier` and `above`."""
    made = [
        {
            "service_tier": band.pop("tier", "standard"),
            "above_input_tokens": band.pop("above", 0),
            "prices": band,
        }
        for band in (dict(band) for band in bands)
    ]
    return PriceSheet.parse({"bands": made})


def named(**prices: str) -> dict[str, Decimal]:
    return {PRICE_KEYS[key]: Decimal(price) for key, price in prices.items()}


STANDARD_BAND = {"input": "2.5", "cached_input": "1.25", "output": "10", "web_search": "10"}
LONG = {"above": 200_000, "input": "5", "cached_input": "2.5", "output": "15", "web_search": "10"}
FLEX = {"tier": "flex", "input": "1.25", "cached_input": "0.6", "output": "5", "web_search": "10"}
PRIORITY = {"tier": "priority", "input": "4", "output": "17", "web_search": "10"}
WHOLE = sheet(STANDARD_BAND, LONG, FLEX, PRIORITY)


def test_merged_sheet_with_named_prices_keeps_all_other_prices() -> None:
    new = merged(WHOLE, named(input="2", output="8"))
    assert new == sheet({**STANDARD_BAND, "input": "2", "output": "8"}, LONG, FLEX, PRIORITY)
    assert differences(WHOLE, new) == [
        UnitPriceChange("standard", 0, "input", Decimal("2.5"), Decimal(2)),
        UnitPriceChange("standard", 0, "output", Decimal(10), Decimal(8)),
    ]
    stays = [change for change in unit_prices(WHOLE, new) if change.old == change.new]
    assert len(stays) == 13 and UnitPriceChange("flex", 0, "input", Decimal("1.25"), Decimal("1.25")) in stays


def test_merged_sheet_with_meter_new_to_it_has_its_price_in_every_band() -> None:
    """Or each request would be refused, since a price that some tier leaves out is none."""
    new = merged(WHOLE, named(tool_call="14"))
    assert new == sheet(*({**band, "tool_call": "14"} for band in (STANDARD_BAND, LONG, FLEX, PRIORITY)))
    assert Rate(1, new).has_price("tool_calls") and Rate(1, new).has_price("input_tokens")


def test_merged_sheet_with_price_of_calls_changes_it_in_every_band_where_it_was_the_same() -> None:
    assert {band.unit_prices["web_search_calls"] for band in merged(WHOLE, named(web_search="7")).bands} == {Decimal(7)}
    varied = sheet(STANDARD_BAND, {**FLEX, "web_search": "5"})
    assert merged(varied, named(web_search="7")) == sheet(
        {**STANDARD_BAND, "web_search": "7"}, {**FLEX, "web_search": "5"}
    )
    alike = sheet(STANDARD_BAND, {**FLEX, "cached_input": "1.25"})
    changed = merged(alike, named(cached_input="1"))
    assert changed.bands[1].unit_prices["cached_input_tokens"] == Decimal("1.25"), "tokens are priced band by band"


def test_merged_sheet_with_tier_or_start_changes_that_band_only() -> None:
    assert merged(WHOLE, named(input="1"), "flex") == sheet(STANDARD_BAND, LONG, {**FLEX, "input": "1"}, PRIORITY)
    assert merged(WHOLE, named(input="6"), above=200_000) == sheet(
        STANDARD_BAND, {**LONG, "input": "6"}, FLEX, PRIORITY
    )
    new = merged(sheet(STANDARD_BAND), named(input="1"), "batch")
    assert new == sheet(STANDARD_BAND, {**STANDARD_BAND, "tier": "batch", "input": "1"}), "begins with what applied"
    with pytest.raises(BadInputError, match="no price from zero tokens on"):
        merged(sheet(STANDARD_BAND), named(input="1"), "batch", 1000)


@pytest.mark.parametrize("before", [None, PriceSheet(())])
def test_merged_sheet_without_earlier_price_has_only_the_named_prices(before: PriceSheet | None) -> None:
    assert merged(before, named(input="1")) == sheet({"input": "1"})


def test_oddities_of_changed_prices_suggest_prices_in_the_old_proportion() -> None:
    new = merged(WHOLE, named(input="1", output="20"))
    assert [(odd.sentence, odd.options) for odd in oddities(WHOLE, new)] == [
        ("cached_input stays at 1.25 and is now dearer than input, 1", "--cached-input 0.5"),
        (
            "above 200,000 tokens: output stays at 15 and is now cheaper than for fewer tokens, 20",
            "--above 200000 --output 30",
        ),
        ("flex: input stays at 1.25 and is now dearer than standard, 1", "--tier flex --input 0.5"),
        ("priority: output stays at 17 and is now cheaper than standard, 20", "--tier priority --output 34"),
    ]
    assert oddities(WHOLE, merged(WHOLE, named(input="1", cached_input="2")))[0].service_tier == "flex"
    assert oddities(new, new) == oddities(None, new) == []
    again = oddities(new, merged(new, named(input="0.9")))
    assert [odd.suggested for odd in again] == [Decimal("0.9")] * 2, "what did not fit before has no proportion to keep"


def test_oddity_with_free_base_price_suggests_zero() -> None:
    [odd] = oddities(sheet({"input": "2", "cached_input": "1"}), sheet({"input": "0", "cached_input": "1"}))
    assert (odd.meter, odd.suggested) == ("cached_input_tokens", Decimal(0))


@pytest.mark.parametrize("meter", sorted(METERS))
def test_remedy_for_each_meter_gives_that_meter_a_price(meter: str) -> None:
    words = remedy("lab/llama", [meter]).split()
    assert words[:4] == ["softix", "prices", "set", "lab/llama"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    prices = {flag.removeprefix("--").replace("-", "_"): price for flag, price in options.items()}
    assert Rate(1, PriceSheet.parse({"bands": [{"prices": prices}]})).has_price(meter)


def test_remedy_without_meters_for_a_customer_shows_input_output_and_user_options() -> None:
    assert remedy("m", (), "usr_1") == "softix prices set m --input 0.15 --output 0.60 --user usr_1"


# What differs


def test_differences_between_free_and_priced_sheet_are_all_its_prices() -> None:
    free, priced = PriceSheet(()), sheet({"input": "1"})
    gained = [UnitPriceChange("standard", 0, "input", None, Decimal(1))]
    assert differences(None, priced) == differences(free, priced) == gained
    assert differences(priced, free) == [UnitPriceChange("standard", 0, "input", Decimal(1), None)]
    assert differences(None, free) == [UnitPriceChange("standard", 0, "free", None, Decimal(0))]
    assert differences(free, free) == differences(priced, priced) == []


def test_unit_prices_are_sorted_by_tier_then_tokens_then_name() -> None:
    new = sheet({"output": "4", "input": "3"}, {"input": "2", "above": 9}, {"tier": "flex", "input": "1"})
    assert unit_prices(sheet({"input": "5"}), new) == [
        UnitPriceChange("flex", 0, "input", None, Decimal(1)),
        UnitPriceChange("standard", 0, "input", Decimal(5), Decimal(3)),
        UnitPriceChange("standard", 0, "output", None, Decimal(4)),
        UnitPriceChange("standard", 9, "input", None, Decimal(2)),
    ]


# A new band


@pytest.mark.parametrize(
    ("tier", "above", "cached"),
    [
        ("standard", 50, "0.1"),
        ("standard", 100, "0.2"),
        ("standard", 101, "0.2"),
        ("flex", 150, "0.3"),
        ("batch", 0, "0.1"),
    ],
)
def test_new_band_in_merged_sheet_begins_with_the_prices_that_applied_there(tier: str, above: int, cached: str) -> None:
    """Those of its own tier go before the standard ones, even where these begin at more tokens."""
    before = sheet(
        {"input": "1", "cached_input": "0.1"},
        {"above": 100, "input": "1", "cached_input": "0.2"},
        {"tier": "flex", "input": "1", "cached_input": "0.3"},
    )
    new = merged(before, named(input="7"), tier, above)
    [band] = [band for band in new.bands if (band.service_tier, band.above_input_tokens) == (tier, above)]
    assert band.unit_prices == {"input_tokens": Decimal(7), "cached_input_tokens": Decimal(cached)}
    assert len(new.bands) == (3 if above == 100 else 4)


def test_new_band_above_some_tokens_without_its_tier_from_zero_is_refused() -> None:
    with pytest.raises(BadInputError) as caught:
        merged(None, named(input="1"), above=5)
    assert (caught.value.message, caught.value.remedy) == (
        "the tier standard has no price from zero tokens on",
        "set that one first, without --above",
    )


def test_price_too_small_for_plain_decimal_text_is_kept_exactly() -> None:
    assert merged(sheet({"input": "1"}), named(input="0.0000001")).bands[0].unit_prices == named(input="0.0000001")


# What no longer fits


def odd(old: PriceSheet, new: PriceSheet) -> list[tuple[str, str]]:
    return [(each.sentence, each.options) for each in oddities(old, new)]


def test_discount_dearer_than_its_full_price_is_odd_and_one_as_dear_is_not() -> None:
    old = sheet({"input": "4", "cached_input": "2", "cached_image_input": "1", "cache_write_5m": "5"})
    assert odd(old, merged(old, named(input="2"))) == []
    assert odd(old, merged(old, named(input="1.5"))) == [
        ("cached_input stays at 2 and is now dearer than input, 1.5", "--cached-input 0.75")
    ], "a write to the cache may be dearer"
    assert odd(old, merged(old, named(cached_input="0.5"))) == [
        ("cached_image_input stays at 1 and is now dearer than cached_input, 0.5", "--cached-image-input 0.25")
    ]


def test_band_cheaper_than_the_one_below_it_is_odd_and_one_as_cheap_is_not() -> None:
    old = sheet({"input": "2"}, {"above": 10, "input": "4"}, {"above": 20, "input": "8"})
    assert odd(old, merged(old, named(input="4"))) == []
    assert odd(old, merged(old, named(input="5"))) == [
        ("above 10 tokens: input stays at 4 and is now cheaper than for fewer tokens, 5", "--above 10 --input 10")
    ]
    assert odd(old, merged(old, named(input="10"), above=10)) == [
        ("above 20 tokens: input stays at 8 and is now cheaper than for fewer tokens, 10", "--above 20 --input 20")
    ]


@pytest.mark.parametrize(
    ("tier", "word", "fits", "odd_at"),
    [
        ("batch", "dearer than", "2", "1"),
        ("flex", "dearer than", "2", "1"),
        ("fast", "cheaper than", "2", "4"),
        ("priority", "cheaper than", "2", "4"),
    ],
)
def test_tier_dearer_or_cheaper_than_it_should_be_beside_standard_is_odd(
    tier: str, word: str, fits: str, odd_at: str
) -> None:
    usual = "4" if word == "dearer than" else "1"
    old = sheet({"input": usual}, {"tier": tier, "input": "2"}, {"tier": "scale", "input": "2"})
    assert odd(old, merged(old, named(input=fits))) == []
    [(sentence, _)] = odd(old, merged(old, named(input=odd_at)))
    assert sentence == f"{tier}: input stays at 2 and is now {word} standard, {odd_at}"


def test_prices_of_calls_in_cheaper_tier_are_not_odd() -> None:
    old = sheet({"input": "1", "web_search": "10"}, {"tier": "flex", "input": "1", "web_search": "9"})
    assert odd(old, merged(old, named(web_search="5"))) == []


def test_price_named_in_the_change_is_not_odd() -> None:
    old = sheet({"input": "2", "cached_input": "1"})
    assert odd(old, merged(old, named(input="1", cached_input="3"))) == []
    assert odd(old, merged(old, named(cached_input="3"))) == []
    assert odd(old, sheet({"input": "2", "cached_input": "1"}, {"tier": "flex", "input": "3"})) == []


def test_suggested_price_has_at_most_twelve_decimals_without_trailing_zeros() -> None:
    old = sheet({"input": "3", "cached_input": "1"})
    assert odd(old, merged(old, named(input="0.1")))[0][1] == "--cached-input 0.033333333333"
    assert odd(old, merged(old, named(input="0.0000000003")))[0][1] == "--cached-input 0.0000000001"
    even = sheet({"input": "200", "cached_input": "100"})
    assert odd(even, merged(even, named(input="40")))[0][1] == "--cached-input 20"


def test_suggested_price_without_earlier_proportion_is_the_base_price() -> None:
    old = sheet({"input": "0", "cached_input": "0"}, {"tier": "fast", "input": "0.5"})
    assert odd(old, merged(old, named(input="2"))) == [
        ("fast: input stays at 0.5 and is now cheaper than standard, 2", "--tier fast --input 2")
    ]


def test_oddity_in_a_band_shows_its_place_in_words_and_in_options() -> None:
    assert (place_name("standard", 0), place_options("standard", 0)) == ("", "")
    assert place_name("flex", 272_000) == "flex above 272,000 tokens"
    assert place_options("flex", 272_000) == "--tier flex --above 272000 "
    found = OddPrice(
        "flex", 1000, "cached_input_tokens", Decimal("2.50"), "dearer than", "input", Decimal(2), Decimal(1)
    )
    assert found.place == "flex above 1,000 tokens"
    assert found.sentence == "flex above 1,000 tokens: cached_input stays at 2.50 and is now dearer than input, 2"
    assert found.options == "--tier flex --above 1000 --cached-input 1"
    small = OddPrice(
        "standard", 0, "input_tokens", Decimal("1E-7"), "dearer than", "x", Decimal("2E-8"), Decimal("3E-9")
    )
    assert small.sentence == "input stays at 0.0000001 and is now dearer than x, 0.00000002"
    assert small.options == "--input 0.000000003"


@pytest.mark.parametrize(
    ("meter", "option"),
    [
        ("input_tokens", "--input 0.15"),
        ("cache_write_1h_tokens", "--input 0.15"),
        ("reasoning_tokens", "--output 0.60"),
        ("audio_output_tokens", "--audio-output 64"),
        ("image_output_tokens", "--image-output 30"),
        ("web_search_calls", "--web-search 10"),
        ("tool_calls", "--tool-call 10"),
        ("search_units", "--search-unit 2"),
        ("audio_ms", "--audio-second 0.0001"),
        ("characters", "--character 15"),
        ("images", "--image 0.04"),
        ("requests", "--request 0.001"),
    ],
)
def test_remedy_for_a_meter_shows_the_option_of_what_it_falls_back_to(meter: str, option: str) -> None:
    assert remedy("m", [meter]) == f"softix prices set m {option}"


def test_remedy_for_several_meters_names_each_option_once() -> None:
    meters = ["output_tokens", "cached_input_tokens", "input_tokens", "images"]
    assert remedy("m", meters) == "softix prices set m --output 0.60 --input 0.15 --image 0.04"


@pytest.mark.parametrize("discount", ["cached_audio_input", "cached_image_input"])
def test_discount_on_audio_and_images_dearer_than_the_discount_on_text_is_odd(discount: str) -> None:
    old = sheet({"input": "4", "cached_input": "2", discount: "1"})
    flag = discount.replace("_", "-")
    assert odd(old, merged(old, named(cached_input="0.5"))) == [
        (f"{discount} stays at 1 and is now dearer than cached_input, 0.5", f"--{flag} 0.25")
    ]


def test_band_that_the_standard_tier_lacks_is_not_odd() -> None:
    old = sheet({"input": "2"}, {"tier": "flex", "input": "1"}, {"tier": "flex", "above": 10, "input": "1"})
    assert odd(old, merged(old, named(input="0.5"))) == [
        ("flex: input stays at 1 and is now dearer than standard, 0.5", "--tier flex --input 0.25")
    ]


def test_prices_after_a_price_of_calls_are_checked_too() -> None:
    old = sheet({"web_search": "10", "input": "2", "cached_input": "1"})
    assert [options for _, options in odd(old, merged(old, named(input="0.5")))] == ["--cached-input 0.25"]
