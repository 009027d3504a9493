"""Reads the response of a provider that speaks Anthropic's messages, plain or streamed, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from softix_proxy.dialects.anthropic.endpoint import anthropic_report, grown
from softix_proxy.dialects.canonical.json_values import (
    Object,
    encode_text,
    seen_child,
    seen_children,
    seen_count,
    seen_text,
)
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalEvent,
    CanonicalUsage,
    ContentPart,
    ErrorEvent,
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

_OWN = "messages"
_REASONS: Mapping[str, StopReason] = {
    "end_turn": "end",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "calls",
    "pause_turn": "pause",
    "refusal": "filter",
    "model_context_window_exceeded": "context",
}


class ReadAnswer:
    """The reader of one response. `read` takes the objects of a stream, `read_whole` a plain response."""

    def __init__(self) -> None:
        self._usage: Object = {}
        self._open: dict[int, tuple[int, ContentPart]] = {}
        """A mapping from the index of a block to its part. Blocks without a part are not counted."""
        self._unfed: set[int] = set()
        """The tool calls whose arguments have not begun. The start of the block may contain all of their arguments."""
        self._parts = 0
        self._stop: AnswerStop | None = None
        self._done = False

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]:
        if answer.get("error"):
            yield _failure(answer)
            return
        yield self._begin(answer)
        for index, block in enumerate(seen_children(answer, "content")):
            yield from self._open_block(index, block)
            yield from self._close_block(index)
        yield from self._delta(answer, seen_child(answer, "usage"))
        yield from self._finish()

    def read(self, event: Object) -> Iterator[CanonicalEvent]:
        kind = event.get("type")
        if self._done:
            return
        if kind == "content_block_delta":
            yield from self._grow(event)
        elif kind == "content_block_start":
            yield from self._open_block(seen_count(event, "index") or 0, seen_child(event, "content_block"))
        elif kind == "content_block_stop":
            yield from self._close_block(seen_count(event, "index") or 0)
        elif kind == "message_start":
            yield self._begin(seen_child(event, "message"))
        elif kind == "message_delta":
            yield from self._delta(seen_child(event, "delta"), seen_child(event, "usage"))
        elif kind == "message_stop":
            yield from self._finish()
        elif event.get("error"):
            self._done = True
            yield _failure(event)

    def end(self) -> Iterator[CanonicalEvent]:
        """Handles the end of the stream. The response is complete only if the provider said so."""
        return iter(())

    def _begin(self, message: Object) -> AnswerStart:
        self._note(seen_child(message, "usage"))
        return AnswerStart(seen_text(message, "id"), seen_text(message, "model"))

    def _note(self, usage: Object) -> None:
        self._usage |= grown(self._usage, usage)

    def _open_block(self, index: int, block: Object) -> Iterator[CanonicalEvent]:
        part = _part(block)
        if part is None or index in self._open:
            return
        if isinstance(part, ToolCall):
            self._unfed.add(index)
        self._open[index] = (self._parts, part)
        shown = ToolCall(part.id, part.name) if isinstance(part, ToolCall) else part
        yield PartStart(0, self._parts, shown)
        self._parts += 1

    def _grow(self, event: Object) -> Iterator[CanonicalEvent]:
        index = seen_count(event, "index") or 0
        known = self._open.get(index)
        if known is None:
            return
        delta = seen_child(event, "delta")
        if signature := seen_text(delta, "signature"):
            yield PartSignature(0, known[0], signature)
        text = seen_text(delta, "text") or seen_text(delta, "thinking") or seen_text(delta, "partial_json")
        if text:
            self._unfed.discard(index)
            yield PartDelta(0, known[0], text)

    def _close_block(self, index: int) -> Iterator[CanonicalEvent]:
        known = self._open.pop(index, None)
        if known is None:
            return
        number, part = known
        if index in self._unfed and isinstance(part, ToolCall):
            self._unfed.discard(index)
            yield PartDelta(0, number, part.arguments)
        yield PartEnd(0, number)

    def _delta(self, delta: Object, usage: Object) -> Iterator[CanonicalEvent]:
        self._note(usage)
        reason = delta.get("stop_reason")
        if isinstance(reason, str):
            self._stop = AnswerStop(0, _REASONS.get(reason, "end"), seen_text(delta, "stop_sequence"))
        report = anthropic_report(self._usage, None)
        if report is not None:
            yield CanonicalUsage(report.meters, seen_text(self._usage, "service_tier"))

    def _finish(self) -> Iterator[CanonicalEvent]:
        for index in list(self._open):
            yield from self._close_block(index)
        yield self._stop or AnswerStop(0, "end")
        self._done = True
        yield AnswerEnd()


def _part(block: Object) -> ContentPart | None:
    """Returns the part of a block, or None.

    Blocks of the provider's own tools have no part, since a translated request does not use these tools.
    """
    kind = block.get("type")
    if kind == "text":
        return TextPart(seen_text(block, "text"))
    if kind == "thinking":
        signature = seen_text(block, "signature")
        return Thinking(seen_text(block, "thinking"), signature, _OWN)
    if kind == "redacted_thinking":
        return Thinking("", seen_text(block, "data"), _OWN, redacted=True)
    if kind == "tool_use":
        return ToolCall(seen_text(block, "id"), seen_text(block, "name"), encode_text(seen_child(block, "input")))
    return None


def _failure(event: Object) -> ErrorEvent:
    error = seen_child(event, "error")
    return ErrorEvent(classify_event(error), seen_text(error, "message"))
