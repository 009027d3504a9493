"""Reads the response of a provider that speaks chat completions, plain or streamed, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from softix_proxy.dialects.canonical.json_values import (
    Object,
    seen_child,
    seen_children,
    seen_count,
    seen_object,
    seen_text,
)
from softix_proxy.dialects.canonical.media import from_url
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
    RefusalPart,
    StopReason,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.tokens import openai_report
from softix_proxy.dialects.openai.chat.reasoning import read_detail

_REASONS: Mapping[str, StopReason] = {
    "stop": "end",
    "eos": "end",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "calls",
    "function_call": "calls",
    "content_filter": "filter",
}
_MOST_CHOICES = 128


class _Call(NamedTuple):
    part: int
    id: str
    pieces: list[str]
    """The pieces of its arguments."""


class _Choice:
    """One choice: its open parts, and the part to which the next piece of each kind belongs."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.parts = 0
        self.flowing: tuple[type[ContentPart], int] | None = None
        """The text, refusal or thoughts that are growing. Only one of them grows at a time."""
        self.calls: dict[int, _Call] = {}
        """The open calls by their index."""
        self.closed_calls: dict[int, str] = {}
        self.thought: int | None = None
        """The number that the server gives to the thoughts that are growing."""
        self.stopped = False

    def open(self, part: ContentPart) -> PartStart:
        self.parts += 1
        return PartStart(self.index, self.parts - 1, part)

    def flow(self, part: TextPart | RefusalPart | Thinking) -> Iterator[CanonicalEvent]:
        """Adds to the part that is growing, or begins one."""
        if self.flowing is None or self.flowing[0] is not type(part):
            yield from self.stop_flow()
            self.flowing = (type(part), self.parts)
            yield self.open(part)
        else:
            yield PartDelta(self.index, self.flowing[1], part.text)

    def stop_flow(self) -> Iterator[CanonicalEvent]:
        if self.flowing is not None:
            yield PartEnd(self.index, self.flowing[1])
            self.flowing = None

    def call(self, item: Object, position: int) -> Iterator[CanonicalEvent]:
        """Adds a piece to a call, or begins a new call.

        The index identifies a call. If a server gives every call the same index, a different id begins a new one.
        """
        key = seen_count(item, "index")
        key = position if key is None else key
        function = seen_child(item, "function") or seen_child(item, "custom")
        piece, given = seen_text(function, "arguments") or seen_text(function, "input"), seen_text(item, "id")
        known = self.calls.get(key)
        if known is not None and given in ("", known.id):
            if piece:
                known.pieces.append(piece)
                yield PartDelta(self.index, known.part, piece)
            return
        if known is None and key in self.closed_calls and given in ("", self.closed_calls[key]):
            return
        yield from self.stop_flow()
        yield from self.close_calls(only_whole=known is None)
        yield from self.sign_call(item)
        self.calls[key] = _Call(self.parts, given, [piece] if piece else [])
        custom = not seen_child(item, "function")
        yield self.open(ToolCall(given, seen_text(function, "name"), piece, custom))

    def sign_call(self, item: Object) -> Iterator[CanonicalEvent]:
        """Reads the signature of a call. Google puts it here in its chat completions."""
        signature = seen_text(seen_child(seen_child(item, "extra_content"), "google"), "thought_signature")
        if signature:
            part = self.open(Thinking("", signature, "generate_content", of=seen_text(item, "id")))
            yield part
            yield PartEnd(self.index, part.index)

    def close_calls(self, *, only_whole: bool = False) -> Iterator[CanonicalEvent]:
        """Closes the open calls.

        `only_whole` closes those with complete arguments, since others may grow beside the next.
        """
        for key, call in list(self.calls.items()):
            if not only_whole or seen_object("".join(call.pieces)) is not None:
                del self.calls[key]
                self.closed_calls[key] = call.id
                yield PartEnd(self.index, call.part)

    def details(self, items: Sequence[Object]) -> Iterator[CanonicalEvent]:
        """Reads thoughts and their signatures as they grow.

        Thoughts that are encrypted as a whole become a part of their own.
        """
        for item in items:
            thinking, index = read_detail(item), seen_count(item, "index")
            flowing = self.flowing
            if flowing is not None and flowing[0] is Thinking and index != self.thought:
                yield from self.stop_flow()
                flowing = None
            self.thought = index
            if thinking.text and not thinking.redacted:
                yield from self.flow(msgspec.structs.replace(thinking, signature="", of=""))
                flowing = self.flowing
            if not thinking.signature:
                continue
            if flowing is not None and flowing[0] is Thinking and not thinking.redacted:
                yield PartSignature(self.index, flowing[1], thinking.signature, thinking.of)
                continue
            yield from self.stop_flow()
            part = self.open(thinking)
            yield part
            yield PartEnd(self.index, part.index)

    def stop(self, reason: StopReason) -> Iterator[CanonicalEvent]:
        yield from self.stop_flow()
        yield from self.close_calls()
        self.stopped = True
        yield AnswerStop(self.index, reason)


class ReadAnswer:
    """The reader of one response. `read` takes the objects of a stream, `read_whole` a plain response."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._started = False
        self._over = False

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]:
        choices = [_as_chunk(choice) for choice in seen_children(answer, "choices")]
        yield from self.read({**answer, "choices": choices})
        yield from self.end()

    def read(self, chunk: Object) -> Iterator[CanonicalEvent]:
        if self._over:
            return
        error = chunk.get("error")
        if error:
            self._over = True
            yield failure(error)
            return
        if not self._started:
            self._started = True
            yield AnswerStart(seen_text(chunk, "id"), seen_text(chunk, "model"), seen_count(chunk, "created"))
        usage = chunk.get("usage") or seen_child(chunk, "x_groq").get("usage")
        for item in seen_children(chunk, "choices"):
            yield from self._read_choice(item)
            usage = usage or item.get("usage")
        if usage:
            report = openai_report(usage, None, chunk.get("service_tier"))
            if report is not None:
                yield CanonicalUsage(report.meters, seen_text(chunk, "service_tier"))

    def end(self) -> Iterator[CanonicalEvent]:
        """Handles the end of the stream. The response is complete if each choice has stopped."""
        if not self._over and self._choices and all(choice.stopped for choice in self._choices.values()):
            self._over = True
            yield AnswerEnd()

    def _read_choice(self, item: Object) -> Iterator[CanonicalEvent]:
        index = seen_count(item, "index") or 0
        if index > _MOST_CHOICES:
            return
        for missing in range(index + 1):
            if missing not in self._choices:
                self._choices[missing] = _Choice(missing)
        choice = self._choices[index]
        delta = item.get("delta")
        if isinstance(delta, dict) and not choice.stopped:
            yield from _read_delta(choice, delta)
        logprobs = seen_child(item, "logprobs")
        if logprobs:
            weights = seen_children(logprobs, "content") + seen_children(logprobs, "refusal")
            yield Logprobs(index, [read_logprob(weight) for weight in weights])
        reason = item.get("finish_reason")
        if isinstance(reason, str) and not choice.stopped:
            yield from choice.stop(_REASONS.get(reason, "end"))


def _read_delta(choice: _Choice, delta: Object) -> Iterator[CanonicalEvent]:
    details = delta.get("reasoning_details")
    if details:
        yield from choice.details(seen_children(delta, "reasoning_details"))
    else:
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought and isinstance(thought, str):
            yield from choice.flow(Thinking(thought))
    content = delta.get("content")
    if content:
        yield from _read_content(choice, content)
    refusal = delta.get("refusal")
    if refusal and isinstance(refusal, str):
        yield from choice.flow(RefusalPart(refusal))
    if delta.get("images"):
        for image in seen_children(delta, "images"):
            yield from choice.stop_flow()
            part = choice.open(_image(seen_text(seen_child(image, "image_url"), "url")))
            yield part
            yield PartEnd(choice.index, part.index)
    if delta.get("tool_calls"):
        for position, call in enumerate(seen_children(delta, "tool_calls")):
            yield from choice.call(call, position)


def _read_content(choice: _Choice, content: object) -> Iterator[CanonicalEvent]:
    """Reads the content, which is a string. Mistral sends a list of parts, some of which are thoughts."""
    if isinstance(content, str):
        yield from choice.flow(TextPart(content))
        return
    for part in content if isinstance(content, list) else []:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "thinking":
            for thought in seen_children(part, "thinking"):
                if text := seen_text(thought, "text"):
                    yield from choice.flow(Thinking(text))
        elif text := seen_text(part, "text"):
            yield from choice.flow(TextPart(text))


def _as_chunk(choice: Object) -> Object:
    """Converts the choice of a plain response into the one chunk that a stream would send."""
    message = seen_child(choice, "message")
    calls = [{**call, "index": index} for index, call in enumerate(seen_children(message, "tool_calls"))]
    reason = choice.get("finish_reason")
    return {**choice, "delta": {**message, "tool_calls": calls}, "finish_reason": reason or "stop"}


def _image(url: str) -> MediaPart:
    if url.startswith("data:") and ";base64," not in url:
        return MediaPart("image", url="")
    return from_url(url, "image")


def read_logprob(node: Object) -> Logprob:
    top = [Alternative(seen_text(item, "token"), _probability(item)) for item in seen_children(node, "top_logprobs")]
    return Logprob(seen_text(node, "token"), _probability(node), top)


def _probability(node: Object) -> float:
    value = node.get("logprob")
    return float(value) if isinstance(value, (int, float)) else 0.0


def failure(error: object) -> ErrorEvent:
    """Converts an error object within a stream into an event. OpenAI's responses use it as well."""
    message = error if isinstance(error, str) else seen_text(error, "message") if isinstance(error, dict) else ""
    return ErrorEvent(classify_event(error), message)
