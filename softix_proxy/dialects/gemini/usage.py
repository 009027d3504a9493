"""Reads Gemini's usage from whole responses and from streams, which are server-sent events or one JSON array.

The counts are cumulative. Cached content is part of the prompt. Thoughts are not part of the candidates. The input that
tools added is not part of the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import UsageReport
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.json_array import JsonArray
from softix_proxy.dialects.core.sse import MAX_EVENT_BYTES, EventAction, EventMeter
from softix_proxy.dialects.core.tokens import count, divide, model_name, modes, tier
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.pricing.rates import STANDARD, UNKNOWN_TIER

_BY_PROMPT = ("gemini-1", "gemini-2")
"""The models whose searches are paid once a request, however many there are. Newer models are paid for each query."""


class GeminiPart(msgspec.Struct, gc=False):
    text: Any = None
    functionCall: Any = None  # noqa: N815 - the wire's own names
    inlineData: Any = None  # noqa: N815
    executableCode: Any = None  # noqa: N815


class GeminiContent(msgspec.Struct, gc=False):
    parts: list[GeminiPart] | None = None


class GeminiCandidate(msgspec.Struct, gc=False):
    content: GeminiContent | None = None
    finishReason: Any = None  # noqa: N815
    groundingMetadata: Any = None  # noqa: N815


class GeminiAnswer(msgspec.Struct, gc=False):
    candidates: list[GeminiCandidate] | None = None
    usageMetadata: Any = None  # noqa: N815
    modelVersion: Any = None  # noqa: N815
    error: Any = None


_ANSWER = msgspec.json.Decoder(GeminiAnswer)


def read_report(body: bytes) -> UsageReport | None:
    """Reads the usage of a whole response. Generation and embedding have the same format."""
    try:
        answer = _ANSWER.decode(body)
    except MALFORMED:
        return None
    return gemini_report(answer.usageMetadata, answer.modelVersion, _calls(answer, {}))


def gemini_report(usage: object, model: object, calls: Mapping[str, int]) -> UsageReport | None:
    """Reads the usage. `calls` are the calls that `_calls` found in the response."""
    if not isinstance(usage, dict):
        return None
    prompt, answered, whole = (
        count(usage, name) for name in ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")
    )
    if prompt is None and answered is None:
        return None
    brought = count(usage, "toolUsePromptTokenCount") or 0
    thoughts = count(usage, "thoughtsTokenCount") or 0
    if not prompt and answered and whole is not None:  # If the prompt is missing, the total contains it.
        prompt = max(whole - answered - thoughts - brought, 0)
    asked = (prompt or 0) + brought
    meters, clamped = divide(asked, _input_parts(usage), "input_tokens")
    output, cut = divide(*_output(usage, asked, answered, whole, thoughts), "output_tokens")
    name = model_name(model)
    served = name.removeprefix("models/") if name else None
    searches = calls.get("web_search_calls", 0)
    if searches and served and served.startswith(_BY_PROMPT):
        calls = {**calls, "web_search_calls": 1}
    return UsageReport(
        {**meters, **output, **{meter: number for meter, number in calls.items() if number}},
        _served_as(usage),
        served,
        clamped or cut,
    )


def service_tier(name: object) -> str:
    """Returns the tier for a name. `SERVICE_TIER_FLEX` and `flex` are the same, and `unspecified` is no tier."""
    text = name.lower().removeprefix("service_tier_") if isinstance(name, str) else ""
    return tier("" if text == "unspecified" else text)


_TRAFFIC: Mapping[object, str] = {
    "ON_DEMAND": STANDARD,
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "PROVISIONED_THROUGHPUT": "provisioned",
}
"""A mapping from Vertex's word for how it served a request to the tier whose price applies."""
_UNTOLD = (None, "", "TRAFFIC_TYPE_UNSPECIFIED")


def _served_as(usage: dict[str, Any]) -> str | None:
    """Returns the tier from Gemini's and Vertex's members, or None if neither has one."""
    told, traffic = usage.get("serviceTier"), usage.get("trafficType")
    if traffic in _UNTOLD:
        return service_tier(told) if told else None
    by_traffic = _TRAFFIC.get(traffic, UNKNOWN_TIER) if isinstance(traffic, str) else UNKNOWN_TIER
    return modes(by_traffic, service_tier(told))


def _input_parts(usage: dict[str, Any]) -> dict[str, int]:
    cached = count(usage, "cachedContentTokenCount") or 0
    kept = _modalities(usage.get("cacheTokensDetails"))
    asked = _modalities(usage.get("promptTokensDetails") or usage.get("promptTokenDetails"))
    brought = _modalities(usage.get("toolUsePromptTokensDetails"))
    parts = {}
    for kind in ("audio", "image"):
        held = min(kept.get(kind, 0), cached)
        cached -= held
        parts[f"cached_{kind}_input_tokens"] = held
        parts[f"{kind}_input_tokens"] = max(asked.get(kind, 0) + brought.get(kind, 0) - kept.get(kind, 0), 0)
    return {"cached_input_tokens": cached, **parts}


def _tells(usage: object) -> bool:
    """Returns whether the usage has counts. A usage of zero does not replace an earlier one."""
    return bool(count(usage, "promptTokenCount") or count(usage, "candidatesTokenCount"))


def _output(
    usage: dict[str, Any], asked: int, answered: int | None, whole: int | None, thoughts: int
) -> tuple[int, dict[str, int]]:
    """Returns the output tokens and their parts.

    Some models count thoughts as part of the candidates. Only the total shows this.
    """
    if answered is None:
        answered = max((whole or 0) - asked - thoughts, 0)
    inside = thoughts and whole is not None and whole == asked + answered
    made = _modalities(usage.get("candidatesTokensDetails"))
    return answered + (0 if inside else thoughts), {
        "reasoning_tokens": thoughts,
        "audio_output_tokens": made.get("audio", 0),
        "image_output_tokens": made.get("image", 0),
    }


def _modalities(details: object) -> dict[str, int]:
    """Returns the tokens by modality. Video and documents cost the same as text."""
    sums: dict[str, int] = {}
    for entry in details if isinstance(details, list) else ():
        kind = entry.get("modality") if isinstance(entry, dict) else None
        tokens = count(entry, "tokenCount")
        if isinstance(kind, str) and tokens:
            sums[kind.lower()] = sums.get(kind.lower(), 0) + tokens
    return sums


def _calls(answer: GeminiAnswer, before: Mapping[str, int]) -> dict[str, int]:
    """Returns the searches that have been reported so far, and whether maps were used. Empty queries are free."""
    searches = maps = 0
    for candidate in answer.candidates or ():
        found = candidate.groundingMetadata
        if isinstance(found, dict):
            queries = (*_listed(found, "webSearchQueries"), *_listed(found, "imageSearchQueries"))
            searches += sum(isinstance(query, str) and bool(query.strip()) for query in queries)
            maps += any(isinstance(chunk, dict) and "maps" in chunk for chunk in _listed(found, "groundingChunks"))
    return {
        "web_search_calls": max(searches, before.get("web_search_calls", 0)),
        "tool_calls": max(maps, before.get("tool_calls", 0)),
    }


def _listed(found: dict[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


class GeminiMeter(EventMeter):
    """Meters a stream, which has no terminal event. The data of the last finish is held until the stream is over.

    The first byte that is no white space tells events from an array.
    """

    def __init__(self) -> None:
        super().__init__()
        self._array: JsonArray | None = None
        self._begun = False
        self._last = b""
        self._told: tuple[Any, Any] = (None, None)
        self._calls: dict[str, int] = {}

    def feed(self, chunk: bytes) -> bytes:
        if not self._begun:
            start = chunk.lstrip()
            if not start:
                return chunk
            self._begun = True
            self._array = JsonArray(MAX_EVENT_BYTES) if start[:1] == b"[" else None
        if self._array is None:
            passing = super().feed(chunk)
        else:
            passing = self._after_end(chunk) if self.ended else self._listen(self._array, chunk)
        if self.finishing and passing and not self._taken:
            passing, self._last = self._last, passing
        return passing

    def take_held(self) -> bytes:
        last, self._last = self._last, b""
        return last + super().take_held()

    def _listen(self, array: JsonArray, chunk: bytes) -> bytes:
        for element in array.feed(chunk):
            if self.inspect(element) is EventAction.END:
                self._hold(chunk)
                return b""
        return chunk

    def inspect(self, data: bytes) -> EventAction:
        try:
            answer = _ANSWER.decode(data)
        except MALFORMED:
            return EventAction.PASS
        if answer.error:
            self.failure = classify_event(answer.error)
            return EventAction.END
        for candidate in answer.candidates or ():
            for part in (candidate.content and candidate.content.parts) or ():
                self.weigh(part.text or _made(part))
            self.finishing = self.finishing or candidate.finishReason is not None
            if candidate.groundingMetadata:
                self._calls = _calls(answer, self._calls)
        if answer.usageMetadata and (self._told[0] is None or _tells(answer.usageMetadata)):
            self._told = answer.usageMetadata, answer.modelVersion
        return EventAction.PASS

    @property
    def report(self) -> UsageReport | None:
        """The usage, calculated when it is read. Every chunk reports it, and only the last report counts."""
        return gemini_report(*self._told, self._calls)

    @report.setter
    def report(self, report: UsageReport | None) -> None:
        """Does nothing. There is no usage before the first chunk."""


def _made(part: GeminiPart) -> str | None:
    """Returns the arguments of a call or the text of code. The bytes of an image do not show its tokens."""
    value = part.functionCall or part.executableCode
    return msgspec.json.encode(value).decode() if value else None
