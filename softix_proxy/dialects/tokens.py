"""Providers' counts made disjoint: cached, audio, image and reasoning tokens are taken out of their totals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from softix_proxy.dialects.base import MODEL_NAME, Report
from softix_proxy.dialects.fields import MALFORMED
from softix_proxy.domain.pricing import STANDARD, UNKNOWN_TIER

T = TypeVar("T")
_LARGEST = 10**9
_TIERS = frozenset(("flex", "priority", "scale", "fast", "batch"))
"""Those that have prices of their own."""
_STANDARD_NAMES = frozenset(("", "auto", "default", "on_demand", "standard", "standard_only"))


class Answer(msgspec.Struct):
    """What is read of a whole answer; unknown shapes are left to the one who looks at the values."""

    usage: Any = None
    model: Any = None
    service_tier: Any = None


_ANSWER = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """None for what is no JSON object."""
    try:
        return _ANSWER.decode(body)
    except MALFORMED:
        return None


def tier(name: object) -> str:
    """`auto`, `default`, `standard_only` and none → the standard tier. Unknown names are not kept, nor standard."""
    if name is None or (isinstance(name, str) and name in _STANDARD_NAMES):
        return STANDARD
    return name if isinstance(name, str) and name in _TIERS else UNKNOWN_TIER


def model_name(name: object) -> str | None:
    return name if isinstance(name, str) and MODEL_NAME.fullmatch(name) else None


def decimals(shape: type[T]) -> msgspec.json.Decoder[T]:
    """Reads numbers with a fraction as exact decimals, as far as they have no type of their own."""
    return msgspec.json.Decoder(shape, float_hook=Decimal)


def count(source: object, *names: str) -> int | None:
    """The first of these that is a plausible count; a strange answer must not become money."""
    if isinstance(source, dict):
        for name in names:
            value = source.get(name)
            if value is None:
                continue
            if isinstance(value, Decimal) and value == value.to_integral_value():
                value = int(value)
            if type(value) is int and 0 <= value <= _LARGEST:
                return value
    return None


def milliseconds(source: object, name: str) -> int | None:
    """From seconds, whole or decimal; None where they are not plausible."""
    value = source.get(name) if isinstance(source, dict) else None
    if type(value) is not int and not isinstance(value, Decimal):
        return None
    return round(value * 1000) if 0 <= value * 1000 <= _LARGEST else None


def divide(whole: int, parts: Mapping[str, int], rest: str) -> tuple[dict[str, int], bool]:
    """What is left of the whole goes to `rest`. True where the parts exceeded it and the last ones were cut."""
    left, clamped = whole, False
    taken: dict[str, int] = {}
    for name, quantity in parts.items():
        kept = min(quantity, left)
        clamped = clamped or kept < quantity
        left -= kept
        if kept:
            taken[name] = kept
    return {rest: left, **taken}, clamped


def openai_report(usage: object, model: object, service_tier: object) -> Report | None:
    """From OpenAI's `usage` and its relatives', of chat, completions, responses and embeddings alike."""
    asked = count(usage, "prompt_tokens", "input_tokens")
    answered = count(usage, "completion_tokens", "output_tokens")
    if not isinstance(usage, dict) or (asked is None and answered is None):
        return None
    meters: dict[str, int] = {}
    clamped = cut = False
    if asked is not None:
        meters, clamped = divide(asked, _input_parts(usage), "input_tokens")
    if answered is not None:
        whole, parts = _output_parts(usage, asked or 0, answered, meters.get("cached_input_tokens", 0))
        output, cut = divide(whole, parts, "output_tokens")
        meters |= output
    return Report(meters, tier(service_tier), model_name(model), clamped or cut)


def _input_parts(usage: dict[str, Any]) -> dict[str, int]:
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    cached = count(details, "cached_tokens")
    if not cached:
        cached = count(usage, "prompt_cache_hit_tokens", "cached_tokens") or 0
    if not details:
        return {"cached_input_tokens": cached}
    written = count(details, "cache_write_tokens") or 0
    kept = details.get("cache_write_tokens_details") if isinstance(details, dict) else None
    long = min(count(kept, "ttl_12h_tokens") or 0, written)
    return {
        "cached_input_tokens": cached,
        "cache_write_1h_tokens": long,
        "cache_write_5m_tokens": written - long,
        "audio_input_tokens": count(details, "audio_tokens") or 0,
        "image_input_tokens": count(details, "image_tokens") or 0,
    }


def _output_parts(usage: dict[str, Any], asked: int, answered: int, cached: int) -> tuple[int, dict[str, int]]:
    """The whole output, and what of it is counted apart.

    Some providers leave reasoning out of the completion, and only the total tells: by exactly the reasoning they
    report, or without reporting any (unless it is the cached input that the total has on top).
    """
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    reasoning = count(details, "reasoning_tokens") or 0
    outside = (count(usage, "total_tokens") or 0) - asked - answered
    if outside > 0 and (outside == reasoning or (not reasoning and outside != cached)):
        answered += outside
        reasoning = outside
    if not details:
        return answered, {"reasoning_tokens": reasoning}
    return answered, {
        "reasoning_tokens": reasoning,
        "audio_output_tokens": count(details, "audio_tokens") or 0,
        "image_output_tokens": count(details, "image_tokens") or 0,
    }
