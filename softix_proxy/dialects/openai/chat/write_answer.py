"""Writes a response for a client that speaks chat completions, plain or streamed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from softix_proxy.dialects.canonical.accumulate import Accumulator
from softix_proxy.dialects.canonical.framing import data_event
from softix_proxy.dialects.canonical.ids import answer_id
from softix_proxy.dialects.canonical.json_values import Object, said
from softix_proxy.dialects.canonical.media import to_url
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
    PartSignature,
    PartStart,
    RefusalPart,
    ResponseContext,
    StopReason,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.canonical.usage import openai_usage
from softix_proxy.dialects.canonical.write_error import openai_error
from softix_proxy.dialects.openai.chat.reasoning import detail, details

_REASONS: Mapping[StopReason, str] = {
    "end": "stop",
    "stop_sequence": "stop",
    "pause": "stop",
    "length": "length",
    "context": "length",
    "calls": "tool_calls",
    "filter": "content_filter",
}


def write_answer(answer: CanonicalAnswer, context: ResponseContext) -> Object:
    usage = openai_usage(answer.usage) if answer.usage else None
    body = _head(answer.start, context, "chat.completion")
    body["choices"] = [_choice(index, choice) for index, choice in enumerate(answer.choices)]
    if usage:
        body["usage"] = usage
    return body


def _head(start: AnswerStart, context: ResponseContext, kind: str) -> Object:
    created_s = context.now_s if start.created_s is None else start.created_s
    known = answer_id(start.id, "chatcmpl-", context.id)
    return {"id": known, "object": kind, "created": created_s, "model": start.model or context.request.model}


def _choice(index: int, choice: Choice) -> Object:
    parts = choice.parts
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    refusal = "".join(part.text for part in parts if isinstance(part, RefusalPart))
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    images = [_image(part) for part in parts if isinstance(part, MediaPart)]
    extra = said(
        {
            "reasoning_content": "".join(part.text for part in thoughts),
            "reasoning_details": details([part for part in thoughts if part.origin]),
            "images": images,
            "tool_calls": calls,
        }
    )
    message = {"role": "assistant", "content": text or None, "refusal": refusal or None, **extra}
    logprobs = None
    if choice.logprobs is not None:
        logprobs = {"content": [write_logprob(item) for item in choice.logprobs], "refusal": None}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _REASONS[choice.reason]}


def _call(call: ToolCall) -> Object:
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }


def _image(media: MediaPart) -> Object:
    return {"type": "image_url", "image_url": {"url": to_url(media)}}


def write_logprob(weight: Logprob) -> Object:
    return {**_weight(weight), "top_logprobs": [_weight(item) for item in weight.alternatives]}


def _weight(item: Logprob | object) -> Object:
    token, logprob = getattr(item, "token", ""), getattr(item, "logprob", None)
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


class WriteStream:
    """The writer of a stream of chunks.

    The role comes first. The growing parts, a stop reason, the usage if the client requested it, and `[DONE]` follow.
    """

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._head: Object = {}
        self._accumulator = Accumulator()
        self._calls: dict[tuple[int, int], int] = {}
        self._counts: dict[int, int] = {}
        self._thoughts: dict[int, int] = {}
        self._begun: set[int] = set()
        self._usage: CanonicalUsage | None = None

    def write(self, event: CanonicalEvent) -> bytes:
        if isinstance(event, PartDelta):
            return self._grow(event)
        if isinstance(event, PartStart):
            self._accumulator.take(event)
            return self._open(event)
        if isinstance(event, PartEnd):
            return self._close(event)
        if isinstance(event, PartSignature):
            self._accumulator.take(event)
        elif isinstance(event, AnswerStart):
            self._head = _head(event, self._context, "chat.completion.chunk")
        elif isinstance(event, Logprobs):
            weights = [write_logprob(item) for item in event.logprobs]
            return self._chunk(event.choice, {}, logprobs={"content": weights, "refusal": None})
        elif isinstance(event, AnswerStop):
            return self._chunk(event.choice, {}, reason=_REASONS[event.reason])
        elif isinstance(event, CanonicalUsage):
            self._usage = event
        elif isinstance(event, ErrorEvent):
            return data_event(openai_error(event.kind, event.message))
        elif isinstance(event, AnswerEnd):
            return self._end()
        return b""

    def _grow(self, event: PartDelta) -> bytes:
        part = self._accumulator.take_growth(event)
        if isinstance(part, Thinking):
            return self._chunk(event.choice, self._think(event.choice, part, event.text))
        if not isinstance(part, ToolCall):
            return self._chunk(event.choice, _flow(part, event.text))
        index = self._calls[event.choice, event.index]
        grown = {"custom": {"input": event.text}} if part.custom else {"function": {"arguments": event.text}}
        return self._chunk(event.choice, {"tool_calls": [{"index": index, **grown}]})

    def _open(self, event: PartStart) -> bytes:
        part = event.part
        if isinstance(part, ToolCall):
            index = self._counts.get(event.choice, 0)
            self._counts[event.choice] = index + 1
            self._calls[event.choice, event.index] = index
            named = {"name": part.name, "input" if part.custom else "arguments": part.arguments}
            kind = "custom" if part.custom else "function"
            return self._chunk(
                event.choice, {"tool_calls": [{"index": index, "id": part.id, "type": kind, kind: named}]}
            )
        if isinstance(part, MediaPart):
            return self._chunk(event.choice, {"images": [_image(part)]})
        text = getattr(part, "text", "")
        if isinstance(part, Thinking):
            self._thoughts[event.choice] = self._thoughts.get(event.choice, -1) + 1
            return self._chunk(event.choice, self._think(event.choice, part, text)) if text else b""
        return self._chunk(event.choice, _flow(part, text)) if text else b""

    def _think(self, choice: int, part: Thinking, text: str) -> Object:
        """Writes thoughts. Thoughts that will be signed also go into the field that has a place for the signature."""
        if not part.origin:
            return {"reasoning_content": text}
        piece = detail(Thinking(text, origin=part.origin), self._thoughts[choice])
        return {"reasoning_content": text, "reasoning_details": [piece]}

    def _close(self, event: PartEnd) -> bytes:
        """Writes the signature of thoughts, which is complete now."""
        part = self._accumulator.part(event.choice, event.index)
        if not isinstance(part, Thinking) or not part.signature:
            return b""
        signed = msgspec.structs.replace(part, text="")
        return self._chunk(event.choice, {"reasoning_details": [detail(signed, self._thoughts[event.choice])]})

    def _chunk(self, choice: int, delta: Object, *, reason: str | None = None, logprobs: Object | None = None) -> bytes:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = {"role": "assistant", "content": "", **delta}
        item = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return data_event({**self._head, "choices": [item]})

    def _end(self) -> bytes:
        usage = b""
        if self._usage is not None and self._context.request.wants_usage:
            usage = data_event({**self._head, "choices": [], "usage": openai_usage(self._usage)})
        return usage + b"data: [DONE]\n\n"


def _flow(part: ContentPart, text: str) -> Object:
    return {"refusal": text} if isinstance(part, RefusalPart) else {"content": text}
