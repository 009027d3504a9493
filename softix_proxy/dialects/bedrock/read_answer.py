"""Reads the response of Bedrock's Converse, plain or streamed, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from softix_proxy.dialects.bedrock.endpoint import converse_report
from softix_proxy.dialects.bedrock.field_names import MIMES, OWN, SIGNED
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
from softix_proxy.dialects.core.errors import classify_exception

_REASONS: Mapping[str, StopReason] = {
    "end_turn": "end",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "calls",
    "guardrail_intervened": "filter",
    "content_filtered": "filter",
    "model_context_window_exceeded": "context",
}


class ReadAnswer:
    """The reader of one response. `read` takes the events of a stream, `read_whole` a plain response.

    Each event of a stream is under its name.
    """

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, ContentPart]] = {}
        """A mapping from the index of a block to its part.

        Only calls and images are announced. Other parts begin with their first piece.
        """
        self._unfed: set[int] = set()
        """The calls without arguments so far."""
        self._parts = 0
        self._stop: AnswerStop | None = None
        self._done = False

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]:
        yield AnswerStart()
        for block in seen_children(seen_child(seen_child(answer, "output"), "message"), "content"):
            part = _part(block)
            if part is not None:
                yield PartStart(0, self._parts, part)
                yield PartEnd(0, self._parts)
                self._parts += 1
        self._note_stop(answer)
        yield from self._finish(answer)

    def read(self, event: Object) -> Iterator[CanonicalEvent]:
        if self._done or not event:
            return
        kind, body = next(iter(event.items()))
        body = body if isinstance(body, dict) else {}
        index = seen_count(body, "contentBlockIndex") or 0
        if kind == "contentBlockDelta":
            yield from self._grow(index, seen_child(body, "delta"))
        elif kind == "contentBlockStart":
            yield from self._start(index, seen_child(body, "start"))
        elif kind == "contentBlockStop":
            yield from self._close(index)
        elif kind == "messageStart":
            yield AnswerStart()
        elif kind == "messageStop":
            self._note_stop(body)
        elif kind == "metadata":
            yield from self._finish(body)
        elif kind.endswith("Exception"):
            self._done = True
            yield ErrorEvent(classify_exception(kind), seen_text(body, "message"))

    def end(self) -> Iterator[CanonicalEvent]:
        """Handles the end of the stream. The response is complete if the model has stopped."""
        if self._stop is not None and not self._done:
            yield from self._finish({})

    def _start(self, index: int, start: Object) -> Iterator[CanonicalEvent]:
        call = seen_child(start, "toolUse")
        if call:
            yield from self._begin(index, ToolCall(seen_text(call, "toolUseId"), seen_text(call, "name")))
            self._unfed.add(index)

    def _grow(self, index: int, delta: Object) -> Iterator[CanonicalEvent]:
        thoughts = seen_child(delta, "reasoningContent")
        if redacted := seen_text(thoughts, "redactedContent"):
            yield from self._begin(index, Thinking("", redacted, OWN, redacted=True))
            return
        if index not in self._open:
            yield from self._begin(index, Thinking(origin=SIGNED) if thoughts else TextPart(""))
        number, part = self._open[index]
        if signature := seen_text(thoughts, "signature"):
            yield PartSignature(0, number, signature)
        text = (
            seen_text(delta, "text") or seen_text(thoughts, "text") or seen_text(seen_child(delta, "toolUse"), "input")
        )
        if text and not (isinstance(part, Thinking) and part.redacted):
            self._unfed.discard(index)
            yield PartDelta(0, number, text)

    def _begin(self, index: int, part: ContentPart) -> Iterator[CanonicalEvent]:
        yield from self._close(index)
        self._open[index] = (self._parts, part)
        yield PartStart(0, self._parts, part)
        self._parts += 1

    def _close(self, index: int) -> Iterator[CanonicalEvent]:
        known = self._open.pop(index, None)
        if known is not None:
            if index in self._unfed:
                self._unfed.discard(index)
                yield PartDelta(0, known[0], "{}")
            yield PartEnd(0, known[0])

    def _note_stop(self, node: Object) -> None:
        self._stop = AnswerStop(0, _REASONS.get(seen_text(node, "stopReason"), "end"))

    def _finish(self, node: Object) -> Iterator[CanonicalEvent]:
        for index in list(self._open):
            yield from self._close(index)
        self._done = True
        yield self._stop or AnswerStop(0, "end")
        tier = seen_child(node, "serviceTier").get("type")
        report = converse_report(node.get("usage"), tier)
        if report is not None:
            yield CanonicalUsage(report.meters, tier if isinstance(tier, str) else "")
        yield AnswerEnd()


def _part(block: Object) -> ContentPart | None:
    """Returns the part of a block. None for blocks that a translated request does not use."""
    thoughts = seen_child(block, "reasoningContent")
    if thoughts:
        said = seen_child(thoughts, "reasoningText")
        if said:
            return Thinking(seen_text(said, "text"), seen_text(said, "signature"), SIGNED)
        return Thinking("", seen_text(thoughts, "redactedContent"), OWN, redacted=True)
    call = seen_child(block, "toolUse")
    if call:
        arguments = encode_text(seen_child(call, "input"))
        return ToolCall(seen_text(call, "toolUseId"), seen_text(call, "name"), arguments)
    cited = seen_children(seen_child(block, "citationsContent"), "content")
    if cited:
        return TextPart("".join(seen_text(item, "text") for item in cited))
    image = seen_child(block, "image")
    if image:
        data = seen_text(seen_child(image, "source"), "bytes")
        return MediaPart("image", MIMES.get(seen_text(image, "format"), "image/png"), data)
    return TextPart(seen_text(block, "text")) if "text" in block else None
