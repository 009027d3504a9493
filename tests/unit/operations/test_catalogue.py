import hashlib
import json
import re
from decimal import Decimal
from importlib.resources import files

import pytest

from softix_proxy.domain.money import format_usd, parse_usd
from softix_proxy.domain.pricing import STANDARD, Rate
from softix_proxy.domain.usage import METERS
from softix_proxy.operations.catalogue import CatalogueModel, load

RAW = files("softix_proxy").joinpath("data/catalogue.json").read_bytes()
ALL = load().all_models
INPUT_FREE = {"whisper-1", "gpt-transcribe"}
"""Priced by the second of audio, and so without a price for input tokens."""


def model(name: str) -> CatalogueModel:
    provider_type = "anthropic" if name.startswith("claude-") else "openai"
    found = load().find(provider_type, name)
    assert found is not None, name
    return found


def cost(name: str, tier: str = STANDARD, /, **used: int) -> str:
    """USD of one request, as text."""
    return format_usd(Rate(1, model(name).sheet).price(used, tier).cost_pico)


def test_says_where_it_comes_from() -> None:
    data = json.loads(RAW)
    assert load().version == data["generated_on"].replace("-", ".")
    assert load().sha256 == hashlib.sha256(RAW).hexdigest()
    assert load().source == f"genai-prices {data['source']['version']}"
    assert re.fullmatch("[0-9a-f]{64}", data["source"]["sha256"])
    assert load() is load()


def test_is_sorted_compact_and_names_each_model_once() -> None:
    names = [(entry.provider_type, entry.name) for entry in ALL]
    assert names == sorted(set(names))
    assert len(RAW) < 300_000
    assert len(RAW.splitlines()) == len(ALL) + RAW.split(b'"models"')[0].count(b"\n") + 2


@pytest.mark.parametrize(("provider_type", "least"), [("openai", 100), ("anthropic", 25), ("openai-compatible", 0)])
def test_covers_the_vendors(provider_type: str, least: int) -> None:
    models = load().models(provider_type)
    assert len(models) >= least
    assert bool(models) == bool(least)
    assert {entry.provider_type for entry in models} <= {provider_type}
    assert load().find(provider_type, "no-such-model") is None


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_each_entry_is_priced_or_said_to_be_free(entry: CatalogueModel) -> None:
    sheet = entry.sheet
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", entry.name)
    assert entry.context is None or entry.context >= 4096
    assert entry.max_output is None or 0 <= entry.max_output <= (entry.context or 10**9)
    if sheet.free:
        assert "moderation" in entry.name
        return
    rate = Rate(1, sheet)
    for tier in sheet.tiers():
        assert rate.price({"input_tokens": 1000}, tier).cost_pico > 0 or entry.name in INPUT_FREE
    needs_output = entry.max_output != 0 and entry.name not in INPUT_FREE
    assert rate.has_price("output_tokens") is needs_output


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_prices_are_clean_and_bands_within_reach(entry: CatalogueModel) -> None:
    for band in entry.sheet.bands:
        assert entry.context is None or band.above_input_tokens < entry.context
        for name, price in band.unit_prices.items():
            exponent = price.as_tuple().exponent
            assert isinstance(exponent, int) and exponent >= -6, (name, price)
            assert price < 1000
        if "cached_input_tokens" in band.unit_prices and "input_tokens" in band.unit_prices:
            assert band.unit_prices["cached_input_tokens"] < band.unit_prices["input_tokens"]


@pytest.mark.parametrize("entry", load().models("anthropic"), ids=lambda entry: entry.name)
def test_anthropic_cache_writes_cost_a_quarter_more_and_twice_the_input(entry: CatalogueModel) -> None:
    for band in entry.sheet.bands:
        base = band.unit_prices["input_tokens"]
        assert band.unit_prices["cache_write_1h_tokens"] == 2 * base
        # Claude 3 Haiku is listed at $0.30, rounded from $0.3125.
        write_5m = Decimal("0.3") if entry.name.startswith("claude-3-haiku") else base * 5 / 4
        assert band.unit_prices["cache_write_5m_tokens"] == write_5m


@pytest.mark.parametrize(
    ("name", "used", "usd"),
    [
        ("gpt-4o-mini", {"input_tokens": 1000, "output_tokens": 500}, "0.00045"),
        ("gpt-4o", {"input_tokens": 500_000, "cached_input_tokens": 500_000, "output_tokens": 100_000}, "2.875"),
        ("gpt-4.1-nano", {"input_tokens": 1, "cached_input_tokens": 1, "output_tokens": 1}, "0.000000525"),
        ("gpt-5", {"input_tokens": 1_000_000, "reasoning_tokens": 50_000, "output_tokens": 50_000}, "2.25"),
        ("o3", {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "10.00"),
        ("o3-deep-research", {"web_search_calls": 25, "tool_calls": 4}, "0.26"),
        ("gpt-4o-audio-preview", {"audio_input_tokens": 1_000_000, "audio_output_tokens": 1_000_000}, "120.00"),
        ("gpt-4o-audio-preview", {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "12.50"),
        ("text-embedding-3-small", {"input_tokens": 8000}, "0.00016"),
        ("whisper-1", {"audio_ms": 60_000}, "0.006"),
        ("omni-moderation-latest", {"input_tokens": 1000}, "0.00"),
        ("claude-3-5-haiku-20241022", {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "4.80"),
        ("claude-sonnet-4-5", {"input_tokens": 1000, "cached_input_tokens": 10_000, "output_tokens": 500}, "0.0135"),
        ("claude-sonnet-4-20250514", {"cache_write_5m_tokens": 1_000_000, "cache_write_1h_tokens": 1}, "3.750006"),
        ("claude-opus-4-5", {"input_tokens": 2000, "output_tokens": 1000, "web_search_calls": 2}, "0.055"),
        ("claude-haiku-4-5-20251001", {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "6.00"),
    ],
)
def test_worked_examples_from_the_vendors_price_pages(name: str, used: dict[str, int], usd: str) -> None:
    assert parse_usd(cost(name, STANDARD, **used)) == parse_usd(usd)


def test_long_prompts_cost_more_in_all_their_tokens() -> None:
    assert cost("gpt-5.4", input_tokens=272_000, output_tokens=1000) == "0.695"
    assert cost("gpt-5.4", input_tokens=272_001, output_tokens=1000) == "1.382505"
    assert cost("claude-haiku-5-5", input_tokens=100_000) == "0.01"
    assert cost("claude-haiku-5-5", input_tokens=50_001, cached_input_tokens=50_000) == "0.0275005"


def test_a_prompt_that_the_vendor_refuses_does_not_make_the_others_dearer() -> None:
    rate = Rate(1, model("claude-sonnet-4-5").sheet)
    assert rate.dearest_output() == 15 * 10**6


@pytest.mark.parametrize(
    ("name", "tier", "usd"),
    [
        ("gpt-5", "flex", "5.625"),
        ("gpt-5", "priority", "22.50"),
        ("gpt-5", "scale", "11.25"),
        ("gpt-4o-mini", "flex", "0.75"),
        ("claude-opus-5", "fast", "60.00"),
        ("claude-opus-5", STANDARD, "30.00"),
    ],
)
def test_service_tiers_have_prices_where_the_vendor_states_them(name: str, tier: str, usd: str) -> None:
    assert parse_usd(cost(name, tier, input_tokens=1_000_000, output_tokens=1_000_000)) == parse_usd(usd)


@pytest.mark.parametrize(
    ("name", "context", "max_output"),
    [
        ("gpt-4o", 128_000, 16_384),
        ("gpt-4o-mini-2024-07-18", 128_000, 16_384),
        ("gpt-4.1-mini", 1_047_576, 32_768),
        ("gpt-5-nano", 400_000, 128_000),
        ("o4-mini", 200_000, 100_000),
        ("claude-3-haiku-20240307", 200_000, 4096),
        ("claude-3-5-haiku-latest", 200_000, 8192),
        ("claude-opus-4-1", 200_000, 32_000),
        ("claude-sonnet-4-0", 200_000, 64_000),
        ("claude-opus-5-5", 1_000_000, 128_000),
        ("text-embedding-3-large", 300_000, 0),
    ],
)
def test_limits_that_bound_a_hold(name: str, context: int, max_output: int) -> None:
    assert (model(name).context, model(name).max_output) == (context, max_output)


@pytest.mark.parametrize(
    "name",
    ["tts-1", "gpt-realtime", "gpt-4o-search-preview", "gpt-oss-120b", "ft:gpt-4o", "gpt-35-turbo", "o3-mini-high"],
)
def test_what_cannot_be_metered_or_is_not_the_vendors_is_left_out(name: str) -> None:
    assert load().find("openai", name) is None


def test_every_price_key_is_a_meter_that_softix_counts() -> None:
    used = {meter for entry in ALL for band in entry.sheet.bands for meter in band.unit_prices}
    assert used <= METERS.keys()
    assert {"cached_input_tokens", "cache_write_1h_tokens", "audio_output_tokens", "web_search_calls"} <= used
