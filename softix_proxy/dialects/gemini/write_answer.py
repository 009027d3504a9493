"""Writes a response for a client that speaks Gemini's generateContent, plain or streamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.dialects.canonical.accumulate import Accumulator
from softix_proxy.dialects.canonical.ids import answer_id
from softix_proxy.dialects.canonical.json_values import Object, arguments_object, encode
from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    ContentPart,
    ErrorEvent,
    Logprob,
    Logprobs,
    MediaPart,
    PartDelta,
    PartEnd,
    PartStart,
    RefusalPart,
    ResponseContext,
    StopReason,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.canonical.usage import gemini_usage
from softix_proxy.dialects.canonical.write_error import google_error
from softix_proxy.dialects.gemini.read_parts import OWN

_REASONS: Mapping[StopReason, str] = {
    "end": "STOP",
    "stop_sequence": "STOP",
    "pause": "STOP",
    "calls": "STOP",
    "length": "MAX_TOKENS",
    "context": "MAX_TOKENS",
    "filter": "SAFETY",
}


def write_answer(answer: CanonicalAnswer, context: ResponseContext) -> Object:
    candidates = [_candidate(index, choice) for index, choice in enumerate(answer.choices)]
    body: Object = {"candidates": candidates}
    if answer.usage is not None:
        body["usageMetadata"] = gemini_usage(answer.usage)
    return body | _head(answer.start, context)


def _head(start: AnswerStart, context: ResponseContext) -> Object:
    model = start.model or context.request.model
    return {"modelVersion": model, "responseId": answer_id(start.id, "", context.id)}


def _candidate(index: int, choice: Choice) -> Object:
    parts = [item for part in choice.parts if (item := _part(part)) is not None]
    reason = "SAFETY" if any(isinstance(part, RefusalPart) for part in choice.parts) else _REASONS[choice.reason]
    candidate: Object = {"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": index}
    if choice.logprobs is not None:
        candidate["logprobsResult"] = _logprobs(choice.logprobs)
    return candidate


def _part(part: ContentPart) -> Object | None:
    if isinstance(part, (TextPart, RefusalPart)):
        return {"text": part.text}
    if isinstance(part, Thinking):
        return _thought(part.text, tag_signature(part, OWN))
    if isinstance(part, ToolCall):
        return {"functionCall": {"id": part.id, "name": part.name, "args": arguments_object(part.arguments)}}
    if isinstance(part, MediaPart):
        return {"inlineData": {"mimeType": part.mime, "data": part.data}}
    return None


def _thought(text: str, signature: str) -> Object:
    thought: Object = {"text": text, "thought": True}
    return {**thought, "thoughtSignature": signature} if signature else thought


def _logprobs(weights: Sequence[Logprob]) -> Object:
    return {
        "topCandidates": [
            {"candidates": [{"token": top.token, "logProbability": top.logprob} for top in weight.alternatives]}
            for weight in weights
        ],
        "chosenCandidates": [{"token": weight.token, "logProbability": weight.logprob} for weight in weights],
    }


class WriteStream:
    """The writer of a stream. Each chunk is a response of its own.

    Texts are sent as they come, calls once they are complete, and the usage at the end.
    """

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._head: Object = _head(AnswerStart(), context)
        self._accumulator = Accumulator()
        self._stops: dict[int, str] = {}
        self._refused: set[int] = set()
        self._usage: CanonicalUsage | None = None
        self._begun = False

    def write(self, event: CanonicalEvent) -> bytes:
        if isinstance(event, PartDelta):
            return self._grow(event.choice, self._accumulator.take_growth(event), event.text)
        self._accumulator.take(event)
        if isinstance(event, PartStart):
            if isinstance(event.part, RefusalPart):
                self._refused.add(event.choice)
            text = "" if isinstance(event.part, ToolCall) else getattr(event.part, "text", "")
            return self._grow(event.choice, event.part, text) if text else b""
        if isinstance(event, PartEnd):
            return self._close(event)
        if isinstance(event, AnswerStart):
            self._head = _head(event, self._context)
        elif isinstance(event, AnswerStop):
            self._stops[event.choice] = "SAFETY" if event.choice in self._refused else _REASONS[event.reason]
        elif isinstance(event, CanonicalUsage):
            self._usage = event
        elif isinstance(event, Logprobs):
            return self._chunk(event.choice, [], {"logprobsResult": _logprobs(event.logprobs)})
        elif isinstance(event, ErrorEvent):
            return self._send(google_error(event.kind, event.message))
        elif isinstance(event, AnswerEnd):
            return self._end()
        return b""

    def _grow(self, choice: int, part: ContentPart, text: str) -> bytes:
        if isinstance(part, ToolCall):
            return b""
        item = {"text": text, "thought": True} if isinstance(part, Thinking) else {"text": text}
        return self._chunk(choice, [item], {})

    def _close(self, event: PartEnd) -> bytes:
        part = self._accumulator.part(event.choice, event.index)
        if isinstance(part, (ToolCall, MediaPart)):
            item = _part(part)
            return self._chunk(event.choice, [item] if item else [], {})
        if isinstance(part, Thinking) and part.signature:
            return self._chunk(event.choice, [_thought("", tag_signature(part, OWN))], {})
        return b""

    def _chunk(self, choice: int, parts: list[Object], more: Object) -> bytes:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": choice, **more}
        return self._send({"candidates": [candidate], **self._head})

    def _send(self, chunk: Object) -> bytes:
        if not self._context.array:
            return b"data: %s\r\n\r\n" % encode(chunk)
        before, self._begun = b",\r\n" if self._begun else b"[", True
        return before + encode(chunk)

    def _end(self) -> bytes:
        candidates = [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": reason, "index": choice}
            for choice, reason in self._stops.items()
        ]
        usage = {"usageMetadata": gemini_usage(self._usage)} if self._usage is not None else {}
        last = self._send({"candidates": candidates, **usage, **self._head})
        return last + b"]" if self._context.array else last
