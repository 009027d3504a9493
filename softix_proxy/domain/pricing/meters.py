"""The meters, which are disjoint, and the names of their prices.

A meter that was not reported is absent, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["input", "output", "call"]


Meters = Mapping[str, int]
"""Meter name → quantity. The names are those of METERS. A quantity that the provider did not report is absent."""


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """One quantity that is counted. Prices are stated in USD per `per` units under `price_key`.

    If a price sheet does not name the meter, the price of `fallback` applies, so nothing is free by omission.
    """

    name: str
    price_key: str
    per: int
    units: str
    """The name of `per` units."""
    side: Side
    fallback: str | None = None


MILLION = 1_000_000


_TOKENS = (MILLION, "million tokens")


_SPECS = (
    MeterSpec("input_tokens", "input", *_TOKENS, "input"),
    MeterSpec("cached_input_tokens", "cached_input", *_TOKENS, "input", "input_tokens"),
    MeterSpec("cache_write_5m_tokens", "cache_write_5m", *_TOKENS, "input", "input_tokens"),
    MeterSpec("cache_write_1h_tokens", "cache_write_1h", *_TOKENS, "input", "cache_write_5m_tokens"),
    MeterSpec("audio_input_tokens", "audio_input", *_TOKENS, "input", "input_tokens"),
    MeterSpec("cached_audio_input_tokens", "cached_audio_input", *_TOKENS, "input", "cached_input_tokens"),
    MeterSpec("image_input_tokens", "image_input", *_TOKENS, "input", "input_tokens"),
    MeterSpec("cached_image_input_tokens", "cached_image_input", *_TOKENS, "input", "cached_input_tokens"),
    MeterSpec("output_tokens", "output", *_TOKENS, "output"),
    MeterSpec("reasoning_tokens", "reasoning", *_TOKENS, "output", "output_tokens"),
    MeterSpec("audio_output_tokens", "audio_output", *_TOKENS, "output", "output_tokens"),
    MeterSpec("image_output_tokens", "image_output", *_TOKENS, "output", "output_tokens"),
    MeterSpec("web_search_calls", "web_search", 1000, "1000 calls", "call"),
    MeterSpec("tool_calls", "tool_call", 1000, "1000 calls", "call"),
    MeterSpec("search_units", "search_unit", 1000, "1000 search units of a reranker", "call"),
    MeterSpec("audio_ms", "audio_second", 1000, "second", "call"),
    MeterSpec("characters", "character", MILLION, "million characters to speak", "call"),
    MeterSpec("images", "image", 1, "image", "call"),
    MeterSpec("requests", "request", 1, "request", "call"),
)


METERS: Mapping[str, MeterSpec] = {spec.name: spec for spec in _SPECS}


INPUT_METERS = frozenset(spec.name for spec in _SPECS if spec.side == "input")


OUTPUT_METERS = frozenset(spec.name for spec in _SPECS if spec.side == "output")


def total(meters: Meters, names: frozenset[str]) -> int:
    return sum([quantity for name, quantity in meters.items() if name in names])
