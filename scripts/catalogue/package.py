"""genai-prices (MIT), read with its traps handled: what its names, tiers, dates and hours mean as price sheets.

- A model without a price has none here, and a price of nothing is one only where the name says `:free`.
- Prices come with what binary fractions left behind (0.13999999999999999): rounded, where that does not change them.
- A variant (service tier, batch) that no table here knows stops the work, and never passes for the standard price.
- A price by the hour of the day is the dearest hour's: a sheet has no hours, and nobody is to pay less than it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from catalogue.sections import Section
from softix_proxy.domain.pricing.rates import STANDARD

Prices = Mapping[str, Decimal | TieredPrices]
HOUR_S = 3600
PRICE_KEYS: Mapping[str, tuple[str, int]] = {
    "input_mtok": ("input", 1),
    "cache_read_mtok": ("cached_input", 1),
    "cache_audio_read_mtok": ("cached_audio_input", 1),
    "cache_image_read_mtok": ("cached_image_input", 1),
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
    "requests_kcount": ("request", 1000),
    "audio_hours": ("audio_second", HOUR_S),
    "input_audio_hours": ("audio_second", HOUR_S),
    "input_mchars": ("character", 1),
}
"""The package's price key → ours and what to divide by. Where several share a key, the dearest is the price."""

TIERS: Mapping[str, Mapping[str, str]] = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
    "batch": {"processing": "batch"},
}
"""Service tier → what the package calls it. Anthropic's fast mode is asked for with `speed`, OpenAI's with the tier."""
NO_TIERS = (
    {"service_tier": "default"},  # the standard one, with no price of its own
    {"route": "mistral/eu"},  # of a reseller's routing, which no answer tells
    {"search_type": "fast"},
    {"search_type": "web"},
)
"""Variants that are looked at and left out. Whatever is neither here nor in TIERS stops the work."""


def names(section: Section, provider: Provider, others: Sequence[str]) -> Iterator[tuple[str, ModelInfo]]:
    """The names under which the provider itself answers; each is checked against the package's own look-up."""
    found: dict[str, ModelInfo] = {}
    for model in provider.models:
        stated = {model.id, *(_spelled(model.match) if section.aliases else ())} if section.stated_names else set()
        for name in stated:
            if section.wants(name) and provider.find_model(name) is model:
                found[name] = model
    for name in (*section.snapshots, *(others if section.extra_names else ())):
        model_found = provider.find_model(name)
        if model_found is not None and section.wants(name):
            found[name] = model_found
    yield from sorted(found.items())


def _spelled(clause: Any) -> Iterator[str]:
    """Every name that a clause spells out; patterns spell out none."""
    if isinstance(clause, ClauseEquals):
        yield clause.equals
    elif isinstance(clause, ClauseOr):
        for part in clause.or_:
            yield from _spelled(part)


def starts(model: ModelInfo, day: date) -> Sequence[date]:
    """The days after `day` on which the package knows of another price."""
    conditions = [entry.constraint for entry in _lists(model)]
    conditions += [variant.constraint for variant in model.price_variants or ()]
    return sorted(
        {one.start_date for one in conditions if isinstance(one, StartDateConstraint) if one.start_date > day}
    )


def bands(model: ModelInfo, day: date, context: int | None, *, tiers: bool = True) -> list[dict[str, Any]] | None:
    """What a sheet is parsed from; None where there is no price, or one in units that are not metered."""
    standard = _current(model, day)
    if not standard or not standard.keys() <= PRICE_KEYS.keys():
        return None
    made = _bands(standard, STANDARD, context)
    for tier, asked in TIERS.items() if tiers else ():
        variants = _variants(model, day, asked)
        if variants:
            made += _bands(_over(standard, variants), tier, context)
    return made


def _lists(model: ModelInfo) -> Sequence[ConditionalPrice]:
    return model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]


def _active(constraint: Any, day: date) -> bool:
    return constraint is None or bool(constraint.active(datetime.combine(day, time(12), UTC)))


def _current(model: ModelInfo, day: date) -> dict[str, Decimal | TieredPrices]:
    """The last price list that has started, or the dearest of it and of those that hold for some hours only."""
    lists = [entry for entry in _lists(model) if not isinstance(entry.constraint, TimeOfDateConstraint)]
    hourly = [entry.prices for entry in _lists(model) if isinstance(entry.constraint, TimeOfDateConstraint)]
    prices = _stated([entry.prices for entry in lists if _active(entry.constraint, day)][-1])
    for entry in hourly:
        for key, price in _stated(entry).items():
            prices[key] = max(price, prices.get(key, price), key=_base)
    return prices


def _base(price: Decimal | TieredPrices) -> Decimal:
    return price.base if isinstance(price, TieredPrices) else price


def _stated(prices: ModelPrice) -> dict[str, Decimal | TieredPrices]:
    return {key: price for key, price in vars(prices).items() if price is not None}


def _variants(model: ModelInfo, day: date, tier: Mapping[str, str]) -> list[ModelPrice]:
    """Of this tier, the strongest last. Stops at a variant that no table knows."""
    for variant in model.price_variants or ():
        known = any(len(variant.when) == 1 and variant.when.items() <= asked.items() for asked in TIERS.values())
        if not known and variant.when not in NO_TIERS:
            raise SystemExit(f"{model.id}: a variant that no table knows: {variant.when}")
    return [
        variant.prices
        for variant in reversed(model.price_variants or ())
        if len(variant.when) == 1 and variant.when.items() <= tier.items() and _active(variant.constraint, day)
    ]


def _over(prices: Prices, variants: Sequence[ModelPrice]) -> Prices:
    found = dict(prices)
    for variant in variants:
        found |= _stated(variant)
    return found


def _bands(prices: Prices, tier: str, context: int | None) -> list[dict[str, Any]]:
    """One band from zero and one from each threshold that the context lets a request reach."""
    above = {tier.start for price in prices.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    reached = [0, *sorted(start for start in above if context is None or start < context)]
    return [
        ({"above_input_tokens": start} if start else {})
        | {"prices": _at(prices, start)}
        | ({} if tier == STANDARD else {"service_tier": tier})
        for start in reached
    ]


def _at(prices: Prices, above: int) -> dict[str, str]:
    """Our prices for a request with more than `above` input tokens."""
    ours: dict[str, Decimal] = {}
    for key, value in prices.items():
        name, divisor = PRICE_KEYS[key]
        if isinstance(value, TieredPrices):
            value = [value.base, *(tier.price for tier in value.tiers if tier.start <= above)][-1]
        ours[name] = max(ours.get(name, Decimal(0)), decimal(value, divisor))
    return {name: format(price.normalize(), "f") for name, price in sorted(ours.items())}


def decimal(price: Decimal, divisor: int) -> Decimal:
    """Rid of what binary fractions left behind: six decimals, or twelve where those would change the price."""
    exact = price / divisor
    for places in ("1e-6", "1e-12"):
        clean = exact.quantize(Decimal(places))
        if abs(clean - exact) <= exact * Decimal("1e-6"):
            return clean
    raise SystemExit(f"{price} / {divisor} has too many decimals")
