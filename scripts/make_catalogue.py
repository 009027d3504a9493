"""Makes softix_proxy/data/catalogue.json, the shipped price catalogue, from the package genai-prices (MIT).

    python scripts/make_catalogue.py            write the catalogue as of today
    python scripts/make_catalogue.py --check    fail if the file is not what the installed package gives

The package is needed here only; softix never imports it. What it gets wrong or leaves open is settled by the reviewed
tables below, each row with its source.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices.data
from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    TieredPrices,
    TimeOfDateConstraint,
)

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from softix_proxy.domain.pricing import STANDARD, Sheet  # noqa: E402

TARGET = ROOT / "softix_proxy" / "data" / "catalogue.json"
PACKAGE = "genai-prices"
VENDORS = {"anthropic": "anthropic", "openai": "openai"}
"""The package's provider → the provider type it prices."""

HOUR_S = 3600
PRICE_KEYS: dict[str, tuple[str, int]] = {
    "input_mtok": ("input", 1),
    "cache_read_mtok": ("cached_input", 1),
    "cache_audio_read_mtok": ("cached_input", 1),
    "cache_image_read_mtok": ("cached_input", 1),
    "cache_write_mtok": ("cache_write_5m", 1),
    "cache_write_1h_mtok": ("cache_write_1h", 1),
    "input_audio_mtok": ("audio_input", 1),
    "input_image_mtok": ("image_input", 1),
    "output_mtok": ("output", 1),
    "output_reasoning_mtok": ("reasoning", 1),
    "output_audio_mtok": ("audio_output", 1),
    "output_image_mtok": ("image_output", 1),
    "web_searches_kcount": ("web_search", 1),
    "storage_searches_kcount": ("tool_call", 1),
    "audio_hours": ("audio_second", HOUR_S),
    "input_audio_hours": ("audio_second", HOUR_S),
}
"""The package's price key → ours and what to divide by. Where several share a key, the dearest is the price."""

TIERS = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""Service tier → what the package calls it. Anthropic's fast mode is asked for with `speed`, OpenAI's with the tier."""

LEFT_OUT = (
    (r"^(ft:.*|.*\.ft-|.*-)$", "fine-tuned models carry the owner's name"),
    (r"realtime|^gpt-live-", "sessions over WebSocket or WebRTC, which are not requests"),
    (r"-search-(preview|api)", "each request also costs a search that the answer does not report"),
    (r"^(ada|babbage|curie|davinci|text-(ada|babbage|curie|davinci)-.*|claude-(v1|2.*))$", "retired before chat"),
    (r"^gpt-oss-|^gpt-5-image|^gpt-5\.4-image|:extended$|-high$", "sold by resellers, not by the vendor"),
    (r"^gpt-35-|^gpt-\d-\d(-.*)?$", "another gateway's spelling"),
    (r"^gpt-5(\.\d)?-chat$|^gpt-chat-latest$|^gpt-4-turbo-0125-preview$|-ada-002-v2$", "another gateway's spelling"),
    (r"^gpt-5\.1-mini$", "not a model at the vendor's (openai-python, types/shared/chat_model.py)"),
    (r"^claude-(3-5-sonnet|3-haiku|3-sonnet|opus-4|sonnet-4)$", "a family, not a name of the vendor's"),
    (r"^(computer-use|moderation|gpt-3\.5-0301|text-embedding-ada)$", "a family, not a name of the vendor's"),
)

SNAPSHOTS: dict[str, tuple[str, ...]] = {
    "anthropic": (
        "claude-3-5-haiku-20241022",
        "claude-3-7-sonnet-20250219",
        "claude-3-haiku-20240307",
        "claude-3-opus-20240229",
        "claude-haiku-4-5-20251001",
        "claude-opus-4-1-20250805",
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-20250514",
        "claude-sonnet-4-5-20250929",
    ),
    "openai": (
        "computer-use-preview",
        "computer-use-preview-2025-03-11",
        "gpt-4o-audio-preview-2024-12-17",
        "gpt-4o-audio-preview-2025-06-03",
        "gpt-4o-mini-audio-preview-2024-12-17",
        "gpt-5-nano-2025-08-07",
    ),
}
"""Names that the package matches by a pattern only; as in the type lists of the vendors' own SDKs."""

OVERRIDES: dict[str, dict[str, str]] = {
    # https://platform.openai.com/docs/pricing, audio tokens; the package has the text prices only, so that audio
    # would cost a sixteenth.
    r"^gpt-4o-audio-preview": {"audio_input": "40", "audio_output": "80"},
    r"^gpt-4o-mini-audio-preview": {"audio_input": "10", "audio_output": "20"},
}

FREE = {"openai": ("omni-moderation-2024-09-26", "omni-moderation-latest")}
"""Said to be free: https://platform.openai.com/docs/guides/moderation. The package has no price for them."""

LIMITS: tuple[tuple[str, int | None, int | None], ...] = (
    # https://platform.claude.com/docs/en/about-claude/models/overview and the pages of the older models. 3.7 reaches
    # 128,000 with a beta header.
    (r"^claude-3-(haiku|opus)", None, 4096),
    (r"^claude-3-5-", None, 8192),
    (r"^claude-opus-4-(0|1|2025)", None, 32_000),
    (r"^claude-(sonnet-4-(0|5|2025)|haiku-4-5|opus-4-5)", None, 64_000),
    (r"^claude-", None, 128_000),
    # https://developers.openai.com/api/docs/models, the page of each. Embeddings: 300,000 tokens over all inputs of
    # one request, which the 8,192 of one input do not bound.
    (r"^text-embedding-", 300_000, 0),
    (r"moderation", None, 0),
    (r"^gpt-4o-(mini-)?transcribe", None, 2000),
    (r"^gpt-4o-mini-tts", None, None),
    (r"^gpt-3\.5-turbo-instruct", 4096, 4096),
    (r"^gpt-3\.5-turbo-16k", None, 16_384),
    (r"^(gpt-3\.5-turbo|gpt-4-turbo|gpt-4-\d{4}-(vision-)?preview|gpt-4-vision)", None, 4096),
    (r"^(babbage|davinci)-002", 16_384, 16_384),
    (r"^gpt-4-32k", 32_768, 32_768),
    (r"^gpt-4(-0314|-0613)?$", None, 8192),
    (r"^gpt-4\.1", 1_047_576, 32_768),
    (r"^gpt-4\.5", 128_000, 16_384),
    (r"^gpt-4o-2024-05-13", None, 4096),
    (r"^(chat)?gpt-(4o|audio)", None, 16_384),
    (r"^gpt-5-pro", None, 272_000),
    (r"^gpt-5\.5(?!-cyber)", 1_050_000, 128_000),
    (r"^gpt-[56]|^chat-latest", None, 128_000),
    (r"^o1-preview", None, 32_768),
    (r"^o1-mini", None, 65_536),
    (r"^(o\d|codex-mini)", None, 100_000),
    (r"^computer-use", None, 1024),
)
"""Name pattern, context where the package has none or too little, most output tokens; the first match counts."""


def names_of(clause: Any) -> Iterator[str]:
    """Every name that a clause spells out; patterns spell out none."""
    if isinstance(clause, ClauseEquals):
        yield clause.equals
    elif isinstance(clause, ClauseOr):
        for part in clause.or_:
            yield from names_of(part)


def left_out(name: str) -> bool:
    return any(re.search(pattern, name) for pattern, _ in LEFT_OUT)


def names(provider: Provider, model: ModelInfo) -> list[str]:
    """The names under which the vendor itself answers; each is checked against the package's own look-up."""
    stated = {model.id, *names_of(model.match), *(name for name in SNAPSHOTS[provider.id] if model.is_match(name))}
    return [name for name in sorted(stated) if not left_out(name) and provider.find_model(name) is model]


def active(constraint: Any, day: date) -> bool:
    """On that day, whatever the hour. A price that changes with the hour has no place in a sheet."""
    if isinstance(constraint, TimeOfDateConstraint):
        raise SystemExit("a price that depends on the hour cannot be expressed: leave the vendor out")
    return constraint is None or bool(constraint.active(datetime.combine(day, time(12), UTC)))


def current(model: ModelInfo, day: date, tier: dict[str, str]) -> dict[str, Decimal | TieredPrices]:
    """The package's prices as of the day: the last price list that has started, with the tier's on top."""
    lists = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    prices = dict(vars([entry.prices for entry in lists if active(entry.constraint, day)][-1]))
    for variant in tier_variants(model, day, tier):
        prices |= {key: price for key, price in vars(variant).items() if price is not None}
    return {key: price for key, price in prices.items() if price is not None}


def tier_variants(model: ModelInfo, day: date, tier: dict[str, str]) -> list[ModelPrice]:
    return [
        variant.prices
        for variant in model.price_variants or ()
        if len(variant.when) == 1 and variant.when.items() <= tier.items() and active(variant.constraint, day)
    ]


def decimal(price: Decimal, divisor: int) -> Decimal:
    """Rid of what binary fractions left behind (0.13999999999999999); refused where that changes the price."""
    exact = price / divisor
    clean = exact.quantize(Decimal("0.000001"))
    if abs(clean - exact) > exact * Decimal("0.000001"):
        raise SystemExit(f"{price} / {divisor} has more than six decimals")
    return clean


def at(prices: dict[str, Decimal | TieredPrices], above: int) -> dict[str, str]:
    """Our prices for a request with more than `above` input tokens."""
    ours: dict[str, Decimal] = {}
    for key, value in prices.items():
        name, divisor = PRICE_KEYS[key]
        if isinstance(value, TieredPrices):
            value = [value.base, *(tier.price for tier in value.tiers if tier.start <= above)][-1]
        ours[name] = max(ours.get(name, Decimal(0)), decimal(value, divisor))
    return {name: format(price.normalize(), "f") for name, price in sorted(ours.items())}


def bands(prices: dict[str, Decimal | TieredPrices], tier: str, context: int | None) -> list[dict[str, Any]]:
    """One band from zero and one from each threshold that the context lets a request reach."""
    starts = {tier.start for price in prices.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    reached = [0, *sorted(start for start in starts if context is None or start < context)]
    return [
        ({"above_input_tokens": above} if above else {})
        | {"prices": at(prices, above)}
        | ({} if tier == STANDARD else {"service_tier": tier})
        for above in reached
    ]


def sheet(model: ModelInfo, name: str, context: int | None, day: date) -> dict[str, Any] | None:
    """The stored shape of a price; None where the package has none, or one in units that are not metered."""
    standard = current(model, day, {})
    if not standard or not standard.keys() <= PRICE_KEYS.keys():
        return None
    made = bands(standard, STANDARD, context)
    for tier, asked in TIERS.items():
        if tier_variants(model, day, asked):
            made += bands(current(model, day, asked), tier, context)
    for pattern, prices in OVERRIDES.items():
        if re.search(pattern, name):
            for band in made:
                band["prices"] = dict(sorted((band["prices"] | prices).items()))
    for band in made:
        if name.startswith("claude-") and "cache_write_5m" in band["prices"]:
            # 1-hour cache writes cost twice the input: https://platform.claude.com/docs/en/about-claude/pricing
            band["prices"].setdefault("cache_write_1h", format(2 * Decimal(band["prices"]["input"]), "f"))
    Sheet.parse({"bands": made})
    return {"bands": made}


def limits(name: str, stated_context: int | None) -> tuple[int | None, int | None]:
    """Context and most output tokens; None where nobody says."""
    for pattern, context, most in LIMITS:
        if re.search(pattern, name):
            return context or stated_context, most
    return stated_context, None


def models(provider: Provider, day: date) -> Iterator[dict[str, Any]]:
    stated = [(name, model) for model in provider.models for name in names(provider, model)]
    for name, model in [*stated, *((name, None) for name in FREE.get(provider.id, ()))]:
        context, most = limits(name, model.context_window if model else None)
        priced = sheet(model, name, context, day) if model else {"free": True}
        if priced is None:
            print(f"left out, no price in units that are metered: {provider.id} {name}", file=sys.stderr)
            continue
        yield {
            "provider_type": VENDORS[provider.id],
            "name": name,
            "context": context,
            "max_output": most,
            "sheet": priced,
        }


def generate(day: date) -> str:
    """The catalogue as text, the same for the same day and package: one model a line, sorted."""
    package_data = Path(str(genai_prices.data.__file__)).read_bytes()
    providers = {provider.id: provider for provider in genai_prices.data.providers}
    rows = [row for vendor in VENDORS for row in models(providers[vendor], day)]
    rows.sort(key=lambda row: (row["provider_type"], row["name"]))
    head = {
        "version": day.strftime("%Y.%m.%d"),
        "generated_on": day.isoformat(),
        "source": {
            "package": PACKAGE,
            "version": importlib.metadata.version(PACKAGE),
            "licence": "MIT",
            "sha256": hashlib.sha256(package_data).hexdigest(),
        },
    }
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f'{json.dumps(head, indent=1)[:-2]},\n "models": [\n{lines}\n]}}\n'


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the shipped price catalogue.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--on", type=date.fromisoformat, default=datetime.now(UTC).date(), help="prices as of this day")
    asked = parser.parse_args()
    if asked.check:
        present = TARGET.read_text("utf-8")
        same = present == generate(date.fromisoformat(json.loads(present)["generated_on"]))
        print("the catalogue is what the package gives" if same else "the catalogue differs: run without --check")
        return 0 if same else 1
    TARGET.write_text(generate(asked.on), "utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
