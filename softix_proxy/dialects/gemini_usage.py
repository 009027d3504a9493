"""What Gemini says of its own work, whole and streamed: as server-sent events, or as one JSON array.

Its counts are cumulative. Cached content is inside the prompt; thoughts are outside the candidates, and what its tools
brought in is outside the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from softix_proxy.dialects.base import UsageReport
from softix_proxy.dialects.errors import classify_event
from softix_proxy.dialects.fields import MALFORMED
from softix_proxy.dialects.json_array import JsonArray
from softix_proxy.dialects.sse import MAX_EVENT_BYTES, EventAction, EventMeter
from softix_proxy.dialects.tokens import count, divide, model_name, modes, tier
from softix_proxy.domain.pricing import STANDARD, UNKNOWN_TIER

_BY_PROMPT = ("gemini-1", "gemini-2")
"""Models whose searches are paid once a request, however many there are; of later ones each query is paid."""


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
    """Of a whole answer, of generation and embedding alike."""
    try:
        answer = _ANSWER.decode(body)
    except MALFORMED:
        return None
    return gemini_report(answer.usageMetadata, answer.modelVersion, _calls(answer, {}))


def gemini_report(usage: object, model: object, calls: Mapping[str, int]) -> UsageReport | None:
    """`calls` are those that `_calls` found in the answer."""
    if not isinstance(usage, dict):
        return None
    prompt, answered, whole = (
        count(usage, name) for name in ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")
    )
    if prompt is None and answered is None:
        return None
    brought = count(usage, "toolUsePromptTokenCount") or 0
    thoughts = count(usage, "thoughtsTokenCount") or 0
    if not prompt and answered and whole is not None:  # where it is not told, the total has it
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
    """`SERVICE_TIER_FLEX` and `flex` are the same; `unspecified` is none."""
    text = name.lower().removeprefix("service_tier_") if isinstance(name, str) else ""
    return tier("" if text == "unspecified" else text)


_TRAFFIC: Mapping[object, str] = {
    "ON_DEMAND": STANDARD,
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "PROVISIONED_THROUGHPUT": "provisioned",
}
"""Vertex's words for how a request was served → the tier whose price applies."""
_UNTOLD = (None, "", "TRAFFIC_TYPE_UNSPECIFIED")


def _served_as(usage: dict[str, Any]) -> str | None:
    """As Gemini tells it, and as Vertex does; None where neither says anything."""
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
    """Whether it has counts, of which one of nothing takes back none before it."""
    return bool(count(usage, "promptTokenCount") or count(usage, "candidatesTokenCount"))


def _output(
    usage: dict[str, Any], asked: int, answered: int | None, whole: int | None, thoughts: int
) -> tuple[int, dict[str, int]]:
    """Some models count thoughts within the candidates, which only the total tells."""
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
    """Tokens by modality. Video and documents cost what text does."""
    sums: dict[str, int] = {}
    for entry in details if isinstance(details, list) else ():
        kind = entry.get("modality") if isinstance(entry, dict) else None
        tokens = count(entry, "tokenCount")
        if isinstance(kind, str) and tokens:
            sums[kind.lower()] = sums.get(kind.lower(), 0) + tokens
    return sums


def _calls(answer: GeminiAnswer, before: Mapping[str, int]) -> dict[str, int]:
    """Searches, and whether maps were used, as far as told by now. Empty queries are free."""
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
    """The stream has no terminal event. What came with the last finish is held until it is over."""

    def __init__(self) -> None:
        super().__init__()
        self._array: JsonArray | None = None
        self._begun = False
        self._last = b""
        self._told: tuple[Any, Any] = (None, None)
        self._calls: dict[str, int] = {}

    def feed(self, chunk: bytes) -> bytes:
        if not self._begun and (start := chunk.lstrip()):
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
        """Worked out when it is asked for: every chunk tells it, and only the last one counts."""
        return gemini_report(*self._told, self._calls)

    @report.setter
    def report(self, report: UsageReport | None) -> None:
        """There is none before the first chunk."""


def _made(part: GeminiPart) -> str | None:
    """Of a call its arguments, of code its text; an image's bytes say nothing of its tokens."""
    value = part.functionCall or part.executableCode
    return msgspec.json.encode(value).decode() if value else None
