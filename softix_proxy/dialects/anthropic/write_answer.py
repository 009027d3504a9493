"""Writes a response for a client that speaks Anthropic's messages, plain or streamed."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.canonical.accumulate import InOrder
from softix_proxy.dialects.canonical.framing import named_event
from softix_proxy.dialects.canonical.ids import answer_id
from softix_proxy.dialects.canonical.json_values import Object, arguments_object
from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    ContentPart,
    ErrorEvent,
    MediaPart,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    RefusalPart,
    ResponseContext,
    StopReason,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.canonical.usage import anthropic_usage
from softix_proxy.dialects.canonical.write_error import anthropic_error

_OWN = "messages"
_REASONS: Mapping[StopReason, str] = {
    "end": "end_turn",
    "stop_sequence": "stop_sequence",
    "pause": "pause_turn",
    "length": "max_tokens",
    "context": "model_context_window_exceeded",
    "calls": "tool_use",
    "filter": "refusal",
}


def write_answer(answer: CanonicalAnswer, context: ResponseContext) -> Object:
    message = _head(answer.start, context)
    choice = answer.choices[0] if answer.choices else None
    if choice is not None:
        message["content"] = [block for part in choice.parts if (block := _block(part)) is not None]
        message["stop_reason"] = _REASONS[choice.reason]
        message["stop_sequence"] = choice.sequence or None
    message["usage"] = anthropic_usage(answer.usage)
    return message


def _head(start: AnswerStart, context: ResponseContext) -> Object:
    return {
        "id": answer_id(start.id, "msg_", context.id),
        "type": "message",
        "role": "assistant",
        "model": start.model or context.request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(part: ContentPart) -> Object | None:
    if isinstance(part, (TextPart, RefusalPart)):
        return {"type": "text", "text": part.text}
    if isinstance(part, Thinking):
        if part.redacted and not part.text:
            return {"type": "redacted_thinking", "data": tag_signature(part, _OWN)}
        return {"type": "thinking", "thinking": part.text, "signature": tag_signature(part, _OWN)}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_object(part.arguments)}
    return None


class WriteStream:
    """The writer of a stream.

    It writes `message_start`, each block completely before the next, `message_delta` with all usage, and
    `message_stop`.
    """

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._in_order = InOrder()
        self._block = -1
        self._growing: ContentPart | None = None
        self._stop = AnswerStop(0, "end")
        self._usage: CanonicalUsage | None = None

    def write(self, event: CanonicalEvent) -> bytes:
        if isinstance(event, (PartStart, PartDelta, PartSignature, PartEnd, AnswerStop)) and event.choice:
            return b""  # A stream has only one choice here, and no other was requested.
        return b"".join([self._write(ordered) for ordered in self._in_order.take(event)])

    def _write(self, event: CanonicalEvent) -> bytes:
        if isinstance(event, PartDelta):
            return self._delta(event.text)
        if isinstance(event, PartStart):
            return self._open(event.part)
        if isinstance(event, PartEnd):
            return self._close()
        if isinstance(event, PartSignature):
            self._sign(event)
        elif isinstance(event, AnswerStart):
            message = {**_head(event, self._context), "usage": anthropic_usage(None)}
            return named_event({"type": "message_start", "message": message})
        elif isinstance(event, AnswerStop):
            self._stop = event
        elif isinstance(event, CanonicalUsage):
            self._usage = event
        elif isinstance(event, ErrorEvent):
            return named_event(anthropic_error(event.kind, event.message))
        elif isinstance(event, AnswerEnd):
            return self._end()
        return b""

    def _open(self, part: ContentPart) -> bytes:
        self._growing = part
        if isinstance(part, MediaPart):
            return b""
        self._block += 1
        if isinstance(part, ToolCall):
            block: Object = {"type": "tool_use", "id": part.id, "name": part.name, "input": {}}
        elif isinstance(part, Thinking) and part.redacted:
            block = {"type": "redacted_thinking", "data": tag_signature(part, _OWN)}
        elif isinstance(part, Thinking):
            block = {"type": "thinking", "thinking": "", "signature": ""}
        else:
            block = {"type": "text", "text": ""}
        started = named_event({"type": "content_block_start", "index": self._block, "content_block": block})
        first = part.arguments if isinstance(part, ToolCall) else getattr(part, "text", "")
        return started + (self._delta(first) if first else b"")

    def _delta(self, text: str) -> bytes:
        part = self._growing
        if isinstance(part, ToolCall):
            delta = {"type": "input_json_delta", "partial_json": text}
        elif isinstance(part, Thinking):
            delta = {"type": "thinking_delta", "thinking": text}
        else:
            delta = {"type": "text_delta", "text": text}
        return named_event({"type": "content_block_delta", "index": self._block, "delta": delta})

    def _sign(self, event: PartSignature) -> None:
        if isinstance(self._growing, Thinking):
            known = self._growing
            self._growing = Thinking("", event.signature, known.origin, known.redacted, event.of or known.of)

    def _close(self) -> bytes:
        part, signed = self._growing, b""
        self._growing = None
        if isinstance(part, MediaPart):
            return b""
        if isinstance(part, Thinking) and part.signature and not part.redacted:
            delta = {"type": "signature_delta", "signature": tag_signature(part, _OWN)}
            signed = named_event({"type": "content_block_delta", "index": self._block, "delta": delta})
        return signed + named_event({"type": "content_block_stop", "index": self._block})

    def _end(self) -> bytes:
        delta = {"stop_reason": _REASONS[self._stop.reason], "stop_sequence": self._stop.sequence or None}
        usage = anthropic_usage(self._usage)
        return named_event({"type": "message_delta", "delta": delta, "usage": usage}) + named_event(
            {"type": "message_stop"}
        )
