from decimal import Decimal
from typing import Any

import pytest

from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.price_changes import UnitPriceChange, differences, merged, oddities, remedy, unit_prices
from softix_proxy.domain.pricing import PRICE_KEYS, PriceSheet, Rate
from softix_proxy.domain.usage import METERS


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


def test_what_is_named_changes_and_all_else_keeps_its_absolute_price() -> None:
    new = merged(WHOLE, named(input="2", output="8"))
    assert new == sheet({**STANDARD_BAND, "input": "2", "output": "8"}, LONG, FLEX, PRIORITY)
    assert differences(WHOLE, new) == [
        UnitPriceChange("standard", 0, "input", Decimal("2.5"), Decimal(2)),
        UnitPriceChange("standard", 0, "output", Decimal(10), Decimal(8)),
    ]
    stays = [change for change in unit_prices(WHOLE, new) if change.old == change.new]
    assert len(stays) == 13 and UnitPriceChange("flex", 0, "input", Decimal("1.25"), Decimal("1.25")) in stays


def test_what_has_no_price_anywhere_gets_it_in_every_band() -> None:
    """Or each request would be refused, since a price that some tier leaves out is none."""
    new = merged(WHOLE, named(tool_call="14"))
    assert new == sheet(*({**band, "tool_call": "14"} for band in (STANDARD_BAND, LONG, FLEX, PRIORITY)))
    assert Rate(1, new).has_price("tool_calls") and Rate(1, new).has_price("input_tokens")


def test_one_price_of_calls_changes_everywhere_and_several_do_not() -> None:
    assert {band.unit_prices["web_search_calls"] for band in merged(WHOLE, named(web_search="7")).bands} == {Decimal(7)}
    varied = sheet(STANDARD_BAND, {**FLEX, "web_search": "5"})
    assert merged(varied, named(web_search="7")) == sheet(
        {**STANDARD_BAND, "web_search": "7"}, {**FLEX, "web_search": "5"}
    )
    alike = sheet(STANDARD_BAND, {**FLEX, "cached_input": "1.25"})
    changed = merged(alike, named(cached_input="1"))
    assert changed.bands[1].unit_prices["cached_input_tokens"] == Decimal("1.25"), "tokens are priced band by band"


def test_another_band() -> None:
    assert merged(WHOLE, named(input="1"), "flex") == sheet(STANDARD_BAND, LONG, {**FLEX, "input": "1"}, PRIORITY)
    assert merged(WHOLE, named(input="6"), above=200_000) == sheet(
        STANDARD_BAND, {**LONG, "input": "6"}, FLEX, PRIORITY
    )
    new = merged(sheet(STANDARD_BAND), named(input="1"), "batch")
    assert new == sheet(STANDARD_BAND, {**STANDARD_BAND, "tier": "batch", "input": "1"}), "begins with what applied"
    with pytest.raises(BadInputError, match="no price from zero tokens on"):
        merged(sheet(STANDARD_BAND), named(input="1"), "batch", 1000)


@pytest.mark.parametrize("before", [None, PriceSheet(())])
def test_without_a_price_what_is_named_is_all(before: PriceSheet | None) -> None:
    assert merged(before, named(input="1")) == sheet({"input": "1"})


def test_what_no_longer_fits_is_told_with_a_price_in_proportion() -> None:
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


def test_a_free_base_is_below_any_discount() -> None:
    [odd] = oddities(sheet({"input": "2", "cached_input": "1"}), sheet({"input": "0", "cached_input": "1"}))
    assert (odd.meter, odd.suggested) == ("cached_input_tokens", Decimal(0))


@pytest.mark.parametrize("meter", sorted(METERS))
def test_a_remedy_prices_the_meter_that_it_is_for(meter: str) -> None:
    words = remedy("lab/llama", [meter]).split()
    assert words[:4] == ["softix", "prices", "set", "lab/llama"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    prices = {flag.removeprefix("--").replace("-", "_"): price for flag, price in options.items()}
    assert Rate(1, PriceSheet.parse({"bands": [{"prices": prices}]})).has_price(meter)


def test_a_remedy_without_meters_and_for_a_customer() -> None:
    assert remedy("m", (), "usr_1") == "softix prices set m --input 0.15 --output 0.60 --user usr_1"
