"""Makes providers' counts disjoint: takes cached, audio, image and reasoning tokens out of their totals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar

import msgspec

from softix_proxy.dialects.core.base import MODEL_NAME, UsageReport
from softix_proxy.dialects.core.usage_places import (
    ANSWERED,
    ANTHROPICS,
    ASKED,
    CACHED,
    CITED,
    DETAILS_IN,
    DETAILS_OUT,
    LONG,
    PERPLEXITYS,
    RARE,
    REASONING,
    SEARCHES,
    WHOLE,
    WRITTEN,
    CounterPath,
)
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.pricing.rates import MODES, STANDARD, UNKNOWN_TIER

T = TypeVar("T")
_LARGEST = 10**9
_DIGITS = re.compile(r"\d{1,10}(?:\.0{1,10})?", re.ASCII)
TIERS = frozenset(
    (
        "flex",
        "priority",
        "scale",
        "fast",
        "ultrafast",
        "performance",
        "batch",
        "offpeak",
        "provisioned",
        "reserved",
        "optimized",
        "us",
    )
)
"""The service tiers that have, or may have, prices of their own: by speed, by the type of capacity, or by location."""
_STANDARD_NAMES = frozenset(("", "auto", "default", "on_demand", "standard", "standard_only"))


class AnswerUsage(msgspec.Struct):
    """The members that are read from a whole response. Whoever reads the values must handle unknown shapes."""

    usage: Any = None
    model: Any = None
    service_tier: Any = None


_ANSWER = msgspec.json.Decoder(AnswerUsage)


def read_answer(body: bytes) -> AnswerUsage | None:
    """Reads these members. Returns None if the body is no JSON object."""
    try:
        return _ANSWER.decode(body)
    except MALFORMED:
        return None


def tier(name: object) -> str:
    """Returns the tier for a name: `auto`, `default`, `standard_only` and no name are the standard tier.

    An unknown name is not kept, and it does not count as standard.
    """
    if name is None or (isinstance(name, str) and name in _STANDARD_NAMES):
        return STANDARD
    return name if isinstance(name, str) and name in TIERS else UNKNOWN_TIER


def modes(*told: str) -> str:
    """Returns several modes of one response as one tier, such as `fast+us`.

    Standard modes are left out, and a repeated mode counts once.
    """
    special = dict.fromkeys(mode for mode in told if mode != STANDARD)
    return MODES.join(special) if special else STANDARD


def model_name(name: object) -> str | None:
    return name if isinstance(name, str) and MODEL_NAME.fullmatch(name) else None


def decimals(shape: type[T]) -> msgspec.json.Decoder[T]:
    """Returns a decoder that reads numbers with a fraction as exact decimals, unless their type is given."""
    return msgspec.json.Decoder(shape, float_hook=Decimal)


def count(source: object, *names: str) -> int | None:
    """Returns the first of these counts that is plausible. A malformed response must not become a charge."""
    if isinstance(source, dict):
        for name in names:
            value = source.get(name)
            if value is None:
                continue
            if type(value) is not int:
                value = _whole_number(value)
            if value is not None and 0 <= value <= _LARGEST:
                return value
    return None


def _whole_number(value: Any) -> int | None:
    """Returns a count as an integer, since some servers write it as `12.0` or `"12"`.

    The size of a number is checked before the conversion.
    """
    if isinstance(value, str):
        return int(value.partition(".")[0]) if _DIGITS.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        return None
    number: Any = value
    return int(number) if 0 <= number <= _LARGEST and int(number) == number else None


def tell(source: object, *names: str) -> int | None:
    """Returns the first of these counts that is not zero. 0 if one of them is zero, and None if none is a count."""
    found = None
    for name in names:
        number = count(source, name)
        if number:
            return number
        found = number if found is None else found
    return found


def milliseconds(source: object, name: str) -> int | None:
    """Converts seconds, whole or decimal, to milliseconds. Returns None if they are not plausible."""
    value = source.get(name) if isinstance(source, dict) else None
    if type(value) is not int and not isinstance(value, Decimal):
        return None
    return round(value * 1000) if 0 <= value * 1000 <= _LARGEST else None


def divide(whole: int, parts: Mapping[str, int], rest: str) -> tuple[dict[str, int], bool]:
    """Divides a total into its parts and adds the remainder as `rest`.

    The second value is true if the parts exceeded the total and the last ones were cut.
    """
    left, clamped = whole, False
    taken: dict[str, int] = {}
    for name, quantity in parts.items():
        kept = min(quantity, left)
        clamped = clamped or kept < quantity
        left -= kept
        if kept:
            taken[name] = kept
    return {rest: left, **taken}, clamped


def openai_report(usage: object, model: object, service_tier: object) -> UsageReport | None:
    """Reads the `usage` of OpenAI and its relatives: of chat, completions, responses and embeddings alike."""
    if not isinstance(usage, dict):
        return None
    asked, answered, whole = count(usage, *ASKED), count(usage, *ANSWERED), count(usage, WHOLE)
    rare = not RARE.isdisjoint(usage)
    cited, perplexitys = 0, False
    made = _details(usage, DETAILS_OUT)
    if not (asked and answered):
        asked, answered = _completed(usage, made, asked, answered, whole)
        if asked is None and answered is None:
            return None if whole is None else _undivided(whole, model, service_tier)
    if rare:
        perplexitys = tell(usage, *PERPLEXITYS) is not None
        cited = count(usage, CITED) or 0
        asked = _with_what_is_beside(usage, asked, answered or 0, whole or 0)
    meters: dict[str, int] = {}
    clamped = cut = False
    if asked is not None:
        meters, clamped = divide(asked, _input_parts(usage, rare), "input_tokens")
        meters["input_tokens"] += cited
    if answered is not None:
        thoughts = _count_at(usage, made, REASONING, rare)
        outside = (whole or 0) - (asked or 0) - answered
        if perplexitys:
            answered += thoughts
        elif outside > 0 and (outside == thoughts or (not thoughts and outside != meters.get("cached_input_tokens"))):
            # Some providers leave reasoning out of the completion, so that only the total shows it. The difference is
            # then exactly the reasoning that they report, or they report none. In the second case, a difference that
            # equals the cached input is no reasoning: the total has that input on top.
            answered += outside
            thoughts = outside
        output, cut = divide(answered, _output_parts(made, thoughts), "output_tokens")
        meters |= output
    if rare and (searches := _searches(usage)):
        meters["web_search_calls"] = searches
    return UsageReport(meters, tier(service_tier), model_name(model), clamped or cut)


def input_report(usage: object, model: object, service_tier: object) -> UsageReport | None:
    """Does the same for an endpoint that produces no output. Tokens that only the total contains are input too."""
    whole = count(usage, WHOLE)
    if isinstance(usage, dict) and whole:
        answered = tell(usage, *ANSWERED) or 0
        if whole > (tell(usage, *ASKED) or 0) + answered:
            usage = {**usage, ASKED[0]: whole - answered}
    return openai_report(usage, model, service_tier)


def _undivided(whole: int, model: object, service_tier: object) -> UsageReport:
    return UsageReport({"input_tokens": whole}, tier(service_tier), model_name(model), undivided=True)


def _completed(
    usage: dict[str, Any], made: dict[str, Any], asked: int | None, answered: int | None, whole: int | None
) -> tuple[int | None, int | None]:
    """Completes the input or output tokens if one of them is missing or zero, from its other name or from the total."""
    asked, answered = asked or tell(usage, *ASKED), answered or tell(usage, *ANSWERED)
    if answered is None and asked and whole is not None and whole > asked:
        return asked, whole - asked
    if answered and not asked and whole is not None and whole > answered:
        thoughts = tell(made, *REASONING.within) or tell(usage, *REASONING.beside) or 0
        if whole - answered != thoughts:
            return whole - answered, answered
    return asked, answered


def _with_what_is_beside(usage: dict[str, Any], asked: int | None, answered: int, whole: int) -> int | None:
    """Adds Anthropic's cache counts to the input if they cannot be part of the prompt.

    That is so if they exceed the prompt, or if the total includes them in addition.
    """
    if asked is None:
        return None
    beside = sum(count(usage, name) or 0 for name in ANTHROPICS)
    return asked + beside if beside > asked or (beside and whole == asked + answered + beside) else asked


def _details(usage: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = usage.get(names[0]) or usage.get(names[1])
    return found if isinstance(found, dict) else {}


def _count_at(usage: dict[str, Any], details: dict[str, Any], place: CounterPath, rare: bool) -> int:
    for name in place.within:
        if details.get(name) and (found := count(details, name)):
            return found
    return (tell(usage, *place.beside) or 0) if rare else 0


def _input_parts(usage: dict[str, Any], rare: bool) -> dict[str, int]:
    details = _details(usage, DETAILS_IN)
    if not (details or rare):
        return {}
    written = _count_at(usage, details, WRITTEN, rare)
    long = _long(details) or (_long(usage) if rare else 0)
    written = written or long
    long = min(long, written)
    return {
        "cached_input_tokens": _count_at(usage, details, CACHED, rare),
        "cache_write_1h_tokens": long,
        "cache_write_5m_tokens": written - long,
        "audio_input_tokens": count(details, "audio_tokens") or 0,
        "image_input_tokens": count(details, "image_tokens") or 0,
    }


def _long(holder: dict[str, Any]) -> int:
    for inner, name in LONG:
        if holder.get(inner) and (tokens := count(holder[inner], name)):
            return tokens
    return 0


def _output_parts(made: dict[str, Any], thoughts: int) -> dict[str, int]:
    if not made:
        return {"reasoning_tokens": thoughts}
    return {
        "reasoning_tokens": thoughts,
        "audio_output_tokens": count(made, "audio_tokens") or 0,
        "image_output_tokens": count(made, "image_tokens") or 0,
    }


def _searches(usage: dict[str, Any]) -> int:
    found = (count(usage.get(holder) if holder else usage, name) for holder, name in SEARCHES)
    return next((calls for calls in found if calls), 0)
