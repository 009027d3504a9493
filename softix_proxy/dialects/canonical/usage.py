"""Converts disjoint meters into each dialect's counts.

A count that a dialect includes in another one is added to it.
"""

from __future__ import annotations

from softix_proxy.dialects.canonical.json_values import Object, said
from softix_proxy.dialects.canonical.types import CanonicalUsage
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, Meters, total

_CACHED = frozenset(("cached_input_tokens", "cached_audio_input_tokens", "cached_image_input_tokens"))


def openai_usage(usage: CanonicalUsage) -> Object:
    """Writes usage for chat completions: `prompt_tokens` has all input, and `completion_tokens` all output."""
    asked, answered, written, details = _totals(usage.meters)
    meters = usage.meters
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {
            "cached_tokens": total(meters, _CACHED),
            "audio_tokens": meters.get("audio_input_tokens", 0),
            **written,
        },
        "completion_tokens_details": {
            "reasoning_tokens": meters.get("reasoning_tokens", 0),
            "audio_tokens": meters.get("audio_output_tokens", 0),
            **details,
        },
    }


def responses_usage(usage: CanonicalUsage) -> Object:
    asked, answered, written, _ = _totals(usage.meters)
    meters = usage.meters
    return {
        "input_tokens": asked,
        "input_tokens_details": {
            "cached_tokens": total(meters, _CACHED),
            "cache_write_tokens": 0,
            **written,
        },
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": meters.get("reasoning_tokens", 0)},
        "total_tokens": asked + answered,
    }


def anthropic_usage(usage: CanonicalUsage | None) -> Object:
    """Writes usage for messages. The input excludes cache reads and writes. The output includes the thoughts."""
    meters: Meters = usage.meters if usage else {}
    five_minutes, hour = meters.get("cache_write_5m_tokens", 0), meters.get("cache_write_1h_tokens", 0)
    cached = total(meters, _CACHED)
    counted: Object = {
        "input_tokens": total(meters, INPUT_METERS) - cached - five_minutes - hour,
        "cache_creation_input_tokens": five_minutes + hour,
        "cache_read_input_tokens": cached,
        "output_tokens": total(meters, OUTPUT_METERS),
    }
    if hour:
        counted["cache_creation"] = {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": hour}
    return counted


def gemini_usage(usage: CanonicalUsage) -> Object:
    """Writes usage for Gemini. The prompt includes cached content. The candidates exclude the thoughts."""
    meters = usage.meters
    asked = total(meters, INPUT_METERS)
    thoughts = meters.get("reasoning_tokens", 0)
    answered = total(meters, OUTPUT_METERS) - thoughts
    counted = {
        "promptTokenCount": asked,
        "cachedContentTokenCount": total(meters, _CACHED) or None,
        "candidatesTokenCount": answered,
        "thoughtsTokenCount": thoughts or None,
        "totalTokenCount": asked + answered + thoughts,
    }
    return said(counted)


def _totals(meters: Meters) -> tuple[int, int, Object, Object]:
    written = meters.get("cache_write_5m_tokens", 0) + meters.get("cache_write_1h_tokens", 0)
    images = meters.get("image_output_tokens", 0)
    return (
        total(meters, INPUT_METERS),
        total(meters, OUTPUT_METERS),
        {"cache_write_tokens": written} if written else {},
        {"image_tokens": images} if images else {},
    )
