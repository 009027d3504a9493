"""Reads the response of a provider that speaks Gemini's generateContent, plain or streamed, as events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from softix_proxy.dialects.canonical.json_values import (
    Object,
    encode_text,
    seen_child,
    seen_children,
    seen_count,
    seen_text,
)
from softix_proxy.dialects.canonical.media import kind_of
from softix_proxy.dialects.canonical.types import (
    Alternative,
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalEvent,
    CanonicalUsage,
    ContentPart,
    ErrorEvent,
    Logprob,
    Logprobs,
    MediaPart,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    StopReason,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.gemini.field_names import camel
from softix_proxy.dialects.gemini.read_parts import OWN
from softix_proxy.dialects.gemini.usage import gemini_report, service_tier

_REASONS: Mapping[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "SAFETY": "filter",
    "RECITATION": "filter",
    "BLOCKLIST": "filter",
    "PROHIBITED_CONTENT": "filter",
    "SPII": "filter",
    "LANGUAGE": "filter",
    "IMAGE_SAFETY": "filter",
    "IMAGE_PROHIBITED_CONTENT": "filter",
    "IMAGE_RECITATION": "filter",
}
_MOST_CANDIDATES = 64
_UNFIT = re.compile(r"[^A-Za-z0-9_]", re.ASCII)


class _Candidate:
    def __init__(self, index: int) -> None:
        self.index = index
        self.parts = 0
        self.flowing: tuple[type[TextPart | Thinking], int] | None = None
        self.called = False
        self.reason: StopReason | None = None

    def whole(self, part: ContentPart) -> Iterator[CanonicalEvent]:
        yield from self.stop_flow()
        yield PartStart(self.index, self.parts, part)
        yield PartEnd(self.index, self.parts)
        self.parts += 1

    def flow(self, part: TextPart | Thinking) -> Iterator[CanonicalEvent]:
        if self.flowing is not None and self.flowing[0] is type(part):
            if part.text:
                yield PartDelta(self.index, self.flowing[1], part.text)
            return
        yield from self.stop_flow()
        self.flowing = (type(part), self.parts)
        yield PartStart(self.index, self.parts, part)
        self.parts += 1

    def sign_flow(self, signature: str) -> Iterator[CanonicalEvent]:
        if self.flowing is not None:
            yield PartSignature(self.index, self.flowing[1], signature)
        yield from self.stop_flow()

    def stop_flow(self) -> Iterator[CanonicalEvent]:
        if self.flowing is not None:
            yield PartEnd(self.index, self.flowing[1])
            self.flowing = None


class ReadAnswer:
    """The reader of one response. `read` takes the objects of a stream, `read_whole` a plain response.

    A plain response is read as a stream of one object. Only the end of the stream shows that it is over, so the stop
    reasons are written there.
    """

    def __init__(self) -> None:
        self._candidates: dict[int, _Candidate] = {}
        self._id = ""
        self._started = False
        self._over = False

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]:
        yield from self.read(answer)
        yield from self.end()

    def read(self, chunk: Object) -> Iterator[CanonicalEvent]:
        chunk = camel(chunk)
        if self._over:
            return
        if chunk.get("error"):
            self._over = True
            error = seen_child(chunk, "error")
            yield ErrorEvent(classify_event(error), seen_text(error, "message"))
            return
        if not self._started:
            self._started = True
            self._id = seen_text(chunk, "responseId")
            yield AnswerStart(self._id, seen_text(chunk, "modelVersion").removeprefix("models/"))
        for position, item in enumerate(seen_children(chunk, "candidates")):
            yield from self._read_candidate(position, camel(item))
        if seen_text(camel(seen_child(chunk, "promptFeedback")), "blockReason"):
            self._candidate(0).reason = "filter"
        usage = camel(seen_child(chunk, "usageMetadata"))
        report = gemini_report(usage, None, {})
        if report is not None:
            yield CanonicalUsage(report.meters, service_tier(told) if (told := usage.get("serviceTier")) else "")

    def end(self) -> Iterator[CanonicalEvent]:
        if self._over or not any(candidate.reason for candidate in self._candidates.values()):
            return
        self._over = True
        for candidate in self._candidates.values():
            yield from candidate.stop_flow()
            reason = candidate.reason or "end"
            yield AnswerStop(candidate.index, "calls" if candidate.called and reason == "end" else reason)
        yield AnswerEnd()

    def _candidate(self, index: int) -> _Candidate:
        for missing in range(index + 1):
            if missing not in self._candidates:
                self._candidates[missing] = _Candidate(missing)
        return self._candidates[index]

    def _read_candidate(self, position: int, item: Object) -> Iterator[CanonicalEvent]:
        index = seen_count(item, "index")
        index = position if index is None else index
        if index > _MOST_CANDIDATES:
            return
        candidate = self._candidate(index)
        for part in seen_children(seen_child(item, "content"), "parts"):
            yield from self._read_part(candidate, camel(part))
        weights = camel(seen_child(item, "logprobsResult"))
        if weights:
            yield Logprobs(index, _logprobs(weights))
        reason = item.get("finishReason")
        if isinstance(reason, str):
            candidate.reason = _REASONS.get(reason, "end")

    def _read_part(self, candidate: _Candidate, part: Object) -> Iterator[CanonicalEvent]:
        signature = seen_text(part, "thoughtSignature")
        call = seen_child(part, "functionCall")
        if call:
            yield from self._read_call(candidate, camel(call), signature)
            return
        data = camel(seen_child(part, "inlineData"))
        if data:
            mime = seen_text(data, "mimeType")
            yield from candidate.whole(MediaPart(kind_of(mime), mime, seen_text(data, "data")))
            return
        text = seen_text(part, "text")
        if part.get("thought") is True:
            if text:
                yield from candidate.flow(Thinking(text, origin=OWN))
            if signature:
                yield from candidate.sign_flow(signature)
            return
        if text:
            yield from candidate.flow(TextPart(text))
        if signature:
            yield from candidate.whole(Thinking(signature=signature, origin=OWN))

    def _read_call(self, candidate: _Candidate, call: Object, signature: str) -> Iterator[CanonicalEvent]:
        candidate.called = True
        made = f"call_{_UNFIT.sub('', self._id) or 'gemini'}_{candidate.index}_{candidate.parts}"
        known_as = seen_text(call, "id") or made
        if signature:
            yield from candidate.whole(Thinking(signature=signature, origin=OWN, of=known_as))
        arguments = encode_text(seen_child(call, "args"))
        yield from candidate.whole(ToolCall(known_as, seen_text(call, "name"), arguments))


def _logprobs(node: Object) -> list[Logprob]:
    tops = [seen_children(camel(top), "candidates") for top in seen_children(node, "topCandidates")]
    chosen = seen_children(node, "chosenCandidates")
    tops += [[]] * (len(chosen) - len(tops))
    return [
        Logprob(
            seen_text(item, "token"),
            _probability(camel(item)),
            [Alternative(seen_text(other, "token"), _probability(camel(other))) for other in top],
        )
        for item, top in zip(chosen, tops, strict=False)
    ]


def _probability(node: Object) -> Any:
    value = node.get("logProbability")
    return value if isinstance(value, (int, float)) else 0
