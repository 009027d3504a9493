"""What is counted: disjoint meters, and where a count came from. A meter that was not reported is absent, not 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Side = Literal["input", "output", "call"]
Meters = Mapping[str, int]
"""Meter name → quantity. The names are those of METERS; what the provider did not report is absent."""


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """One thing that is counted. Prices are stated in USD per `per` units under `price_key`.

    Where a price sheet does not name the meter, the price of `fallback` applies, so nothing is free by omission.
    """

    name: str
    price_key: str
    per: int
    side: Side
    fallback: str | None = None


MILLION = 1_000_000
_SPECS = (
    MeterSpec("input_tokens", "input", MILLION, "input"),
    MeterSpec("cached_input_tokens", "cached_input", MILLION, "input", "input_tokens"),
    MeterSpec("cache_write_5m_tokens", "cache_write_5m", MILLION, "input", "input_tokens"),
    MeterSpec("cache_write_1h_tokens", "cache_write_1h", MILLION, "input", "cache_write_5m_tokens"),
    MeterSpec("audio_input_tokens", "audio_input", MILLION, "input", "input_tokens"),
    MeterSpec("image_input_tokens", "image_input", MILLION, "input", "input_tokens"),
    MeterSpec("output_tokens", "output", MILLION, "output"),
    MeterSpec("reasoning_tokens", "reasoning", MILLION, "output", "output_tokens"),
    MeterSpec("audio_output_tokens", "audio_output", MILLION, "output", "output_tokens"),
    MeterSpec("image_output_tokens", "image_output", MILLION, "output", "output_tokens"),
    MeterSpec("web_search_calls", "web_search", 1000, "call"),
    MeterSpec("tool_calls", "tool_call", 1000, "call"),
    MeterSpec("audio_ms", "audio_second", 1000, "call"),
    MeterSpec("images", "image", 1, "call"),
    MeterSpec("requests", "request", 1, "call"),
)
METERS: Mapping[str, MeterSpec] = {spec.name: spec for spec in _SPECS}
INPUT_METERS = tuple(spec.name for spec in _SPECS if spec.side == "input")
OUTPUT_METERS = tuple(spec.name for spec in _SPECS if spec.side == "output")


class Source(StrEnum):
    """How the quantities of a usage row are known."""

    PROVIDER = "provider"
    """Reported by the provider at the end of the answer: exact."""
    PARTIAL = "partial"
    """The answer was cut; the provider's last cumulative report."""
    ESTIMATE = "estimate"
    """The answer was cut before any report; counted from what passed through."""
    INTERRUPTED = "interrupted"
    """The daemon died in between; the provider may have worked."""
    NONE = "none"
    """Nothing was produced: the provider refused or was not reached."""


def total(meters: Meters, names: tuple[str, ...]) -> int:
    return sum(meters.get(name, 0) for name in names)
