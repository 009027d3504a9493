"""Disjoint meters as each dialect counts: what one of them has within another is put back."""

from __future__ import annotations

from softix_proxy.dialects.translate.canonical import CanonicalUsage
from softix_proxy.dialects.translate.wire import Object, said
from softix_proxy.domain.usage import INPUT_METERS, OUTPUT_METERS, Meters, total

_CACHED = frozenset(("cached_input_tokens", "cached_audio_input_tokens", "cached_image_input_tokens"))


def openai_usage(usage: CanonicalUsage) -> Object:
    """Chat's: all input in `prompt_tokens`, all output in `completion_tokens`."""
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
    """Input without what the cache gave or took; output with the thoughts."""
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
    """The prompt with what was cached; candidates without the thoughts."""
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
