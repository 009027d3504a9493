import csv
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files

import pytest
from support.sources import ROOT

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.money import format_usd, parse_usd
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import STANDARD, PriceSheet, Rate
from softix_proxy.operations.catalog.catalogue import AnnouncedPrice, Catalogue, CatalogueModel, load

FOLDER = files("softix_proxy").joinpath("data/catalogue")
SECTIONS = {section: load().models(section) for section in load().sections}
LEAST = {
    "openai": 100,
    "anthropic": 25,
    "gemini": 25,
    "vertex": 50,
    "mistral": 30,
    "deepseek": 3,
    "xai": 20,
    "groq": 20,
    "together": 50,
    "fireworks": 30,
    "cohere": 10,
    "bedrock": 150,
    "azure": 80,
    "openrouter": 300,
    "perplexity": 5,
}
"""Section → models that it has at least."""


def model(section: str, name: str) -> CatalogueModel:
    found = load().find(section, name)
    assert found is not None, name
    return found


def cost(section: str, name: str, tier: str = STANDARD, /, **used: int) -> str:
    """USD of one request, as text."""
    return format_usd(Rate(1, model(section, name).sheet).price(used, tier).cost_pico)


def sheets() -> Iterator[tuple[CatalogueModel, PriceSheet]]:
    for models in SECTIONS.values():
        for entry in models:
            for _, sheet in entry.versions(0):
                yield entry, sheet


def test_catalogue_has_its_version_checksum_and_sources() -> None:
    raw = FOLDER.joinpath("index.json").read_bytes()
    data = json.loads(raw)
    assert load().version == data["generated_on"].replace("-", ".")
    assert load().sha256 == hashlib.sha256(raw).hexdigest()
    assert load().source == f"genai-prices {data['source']['version']}"
    for source in (data["source"], data["second_source"]):
        assert re.fullmatch("[0-9a-f]{64}", source["sha256"])
    assert load() is load()


def test_catalogue_sections_are_complete_sorted_and_without_duplicates() -> None:
    assert set(SECTIONS) == set(LEAST)
    for section, models in SECTIONS.items():
        raw = FOLDER.joinpath(f"{section}.jsonl").read_bytes()
        names = [entry.name for entry in models]
        assert names == sorted(set(names)) and len(names) >= LEAST[section]
        assert {entry.provider_type for entry in models} == {section}
        assert len(raw.splitlines()) == len(models) and len(raw) < 200_000
    assert load().models("openai-compatible") == () and load().find("openai", "no-such-model") is None


def test_catalogue_with_a_damaged_section_is_refused() -> None:
    with pytest.raises(FailureError, match="damaged"):
        Catalogue("1", "", "test", {"groq": "0" * 64}).models("groq")


def test_catalogue_is_not_loaded_by_help_or_start_up() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from softix_proxy.cli.main import main;"
        "CliRunner().invoke(main, ['--help']); import softix_proxy.assembly;"
        "sys.exit('softix_proxy.operations.catalog.catalogue' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_catalogue_models_are_priced_or_free() -> None:
    for entry, sheet in sheets():
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", entry.name)
        assert entry.context is None or entry.context > 0
        assert entry.max_output is None or 0 <= entry.max_output <= (entry.context or 10**9)
        if sheet.free:
            assert "moderation" in entry.name or entry.name.endswith(":free")
            continue
        rate = Rate(1, sheet)
        priced = {name: 10**6 for name in METERS if rate.has_price(name)}
        for tier in sheet.tiers():
            assert rate.price(priced, tier).cost_pico > 0, entry
        by_token = rate.has_price("input_tokens") and entry.max_output != 0
        assert rate.has_price("output_tokens") or not by_token, f"{entry.name}: an answer for nothing"


def test_catalogue_prices_are_clean_and_their_bands_are_within_the_context() -> None:
    for entry, sheet in sheets():
        for band in sheet.bands:
            assert entry.context is None or band.above_input_tokens < entry.context
            for name, price in band.unit_prices.items():
                decimals = format(price, "f").partition(".")[2]
                junk = re.search(r"[1-9]0{5}\d|9{6}", decimals)
                assert len(decimals) <= 12 and not junk, (entry.name, price)
                assert price < 1000 or name == "output_tokens", entry.name


def test_catalogue_cached_input_is_not_dearer_than_input() -> None:
    dearer = [
        f"{entry.provider_type}/{entry.name}"
        for entry, sheet in sheets()
        for band in sheet.bands
        if band.unit_prices.get("cached_input_tokens", 0) > band.unit_prices.get("input_tokens", 10**6)
    ]
    assert dearer == []


def test_catalogue_cache_writes_of_anthropic_cost_a_quarter_more_and_twice_the_input() -> None:
    for entry in SECTIONS["anthropic"]:
        for band in entry.sheet.bands:
            base = band.unit_prices["input_tokens"]
            assert band.unit_prices["cache_write_1h_tokens"] == 2 * base
            if not entry.name.startswith("claude-3-haiku"):  # listed at $0.30, rounded from $0.3125
                assert band.unit_prices["cache_write_5m_tokens"] == base * 5 / 4


def test_catalogue_price_of_a_long_prompt_applies_to_all_its_tokens() -> None:
    assert cost("openai", "gpt-5.4", input_tokens=272_000, output_tokens=1000) == "0.695"
    assert cost("openai", "gpt-5.4", input_tokens=272_001, output_tokens=1000) == "1.382505"
    assert cost("gemini", "gemini-2.5-pro", input_tokens=200_000) == "0.25"
    assert cost("gemini", "gemini-2.5-pro", input_tokens=150_001, cached_input_tokens=50_000) == "0.3875025"


def test_catalogue_price_of_an_impossible_prompt_does_not_raise_the_dearest_output() -> None:
    assert Rate(1, model("anthropic", "claude-sonnet-4-5").sheet).dearest_output() == 15 * 10**6


@pytest.mark.parametrize(
    ("section", "name", "tier", "usd"),
    [
        ("openai", "gpt-5", "flex", "5.625"),
        ("openai", "gpt-5", "priority", "22.50"),
        ("openai", "gpt-5", "scale", "11.25"),
        ("openai", "gpt-5", "batch", "5.625"),
        ("anthropic", "claude-opus-5", "fast", "60.00"),
        ("anthropic", "claude-sonnet-4-5", "batch", "9.00"),
        ("gemini", "gemini-2.5-flash", "batch", "1.40"),
    ],
)
def test_catalogue_price_of_each_service_tier_is_used_where_stated(
    section: str, name: str, tier: str, usd: str
) -> None:
    used = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    priced = Rate(1, model(section, name).sheet).price(used, tier)
    assert priced.cost_pico == parse_usd(usd)
    assert priced.unpriced == (("service_tier",) if tier == "scale" else ())


@pytest.mark.parametrize(
    ("section", "name", "context", "max_output"),
    [
        ("openai", "gpt-4o", 128_000, 16_384),
        ("openai", "gpt-4.1-mini", 1_047_576, 32_768),
        ("openai", "text-embedding-3-large", 300_000, 0),
        ("anthropic", "claude-opus-4-1", 200_000, 32_000),
        ("anthropic", "claude-sonnet-4-0", 200_000, 64_000),
        ("gemini", "gemini-2.5-pro", 1_048_576, 65_536),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 200_000, 64_000),
    ],
)
def test_catalogue_limits_of_each_model_are_those_that_bound_a_hold(
    section: str, name: str, context: int, max_output: int
) -> None:
    assert (model(section, name).context, model(section, name).max_output) == (context, max_output)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        *(("openai", name) for name in ("gpt-realtime", "gpt-4o-search-preview", "gpt-oss-120b", "ft:gpt-4o")),
        ("mistral", "mistral-ocr-latest"),
        ("gemini", "gemini-omni-1.1-flash"),
        ("gemini", "claude-sonnet-4-5"),
        ("deepseek", "deepseek-chat"),
    ],
)
def test_catalogue_find_of_an_unmetered_or_unsold_model_is_none(section: str, name: str) -> None:
    assert load().find(section, name) is None


@pytest.mark.parametrize(
    ("name", "tier", "usd"),
    [
        ("claude-opus-4-8", "us", "5.5"),
        ("claude-opus-4-8", "fast+us", "11"),
        ("claude-opus-4-8", "batch+us", "2.75"),
        ("claude-sonnet-4-6", "us", "3.3"),
        ("claude-haiku-4-5", "us", "1"),
    ],
)
def test_catalogue_price_in_the_united_states_is_a_tenth_higher(name: str, tier: str, usd: str) -> None:
    """https://platform.claude.com/docs/en/about-claude/pricing: from Opus 4.6 and Sonnet 4.6 on."""
    assert Decimal(cost("anthropic", name, tier, input_tokens=10**6)) == Decimal(usd)
    has_it = model("anthropic", name).sheet.tiers() >= {"us"}
    assert has_it is (name != "claude-haiku-4-5")


def test_catalogue_surcharge_applies_to_tokens_only() -> None:
    for name in ("claude-opus-5-5", "claude-fable-5-2"):
        assert cost("anthropic", name, "us", web_search_calls=1000) == cost("anthropic", name, web_search_calls=1000)


def test_catalogue_prices_cover_every_meter() -> None:
    used = {meter for _, sheet in sheets() for band in sheet.bands for meter in band.unit_prices}
    assert used <= METERS.keys()
    assert METERS.keys() - used == {"reasoning_tokens"} or METERS.keys() == used


def test_catalogue_announced_price_starts_on_its_day() -> None:
    new_year = parse_instant("2027-01-01")
    now, then = model("gemini", "gemini-3.6-flash").versions(new_year - 1)
    assert (now[0], then[0]) == (new_year - 1, new_year)
    assert then[1].bands[0].unit_prices["input_tokens"] == 2 * now[1].bands[0].unit_prices["input_tokens"]
    assert model("gemini", "gemini-3.6-flash").versions(new_year) == [(new_year, then[1])]


def test_catalogue_versions_leave_out_ended_prices() -> None:
    texts = ['{"free":true}', '{"bands":[{"prices":{"input":"1"}}]}', '{"bands":[{"prices":{"input":"2"}}]}']
    entry = CatalogueModel(
        "demo", "m", None, None, texts[0], (AnnouncedPrice(10, texts[1]), AnnouncedPrice(20, texts[2]))
    )
    free, one, two = (PriceSheet.parse(json.loads(text)) for text in texts)
    assert entry.sheet == free
    assert entry.versions(9) == [(9, free), (10, one), (20, two)]
    assert entry.versions(10) == [(10, one), (20, two)]
    assert entry.versions(21) == [(21, two)]


def test_reviewed_differences_name_models_of_the_catalogue() -> None:
    with (ROOT / "scripts" / "catalogue" / "differences.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {f"{section}/{entry.name}" for section, models in SECTIONS.items() for entry in models}
    assert rows and {row["model"] for row in rows} <= known
    assert {row["decision"] for row in rows} == {"ours"} and all(row["reason"] for row in rows)
