"""Reads the response of a provider that speaks responses, plain or streamed, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from softix_proxy.dialects.canonical.json_values import Object, seen_child, seen_children, seen_count, seen_text
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalEvent,
    CanonicalUsage,
    ContentPart,
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
from softix_proxy.dialects.core.tokens import openai_report
from softix_proxy.dialects.openai.chat.read_answer import failure, read_logprob

_OWN = "responses"
_Flow = type[TextPart] | type[RefusalPart] | type[Thinking] | type[ToolCall]
_GROWING: Mapping[str, _Flow] = {
    "response.output_text.delta": TextPart,
    "response.refusal.delta": RefusalPart,
    "response.reasoning_summary_text.delta": Thinking,
    "response.reasoning_text.delta": Thinking,
    "response.function_call_arguments.delta": ToolCall,
    "response.custom_tool_call_input.delta": ToolCall,
}
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
PartPosition = tuple[int, int]
"""The position of an output item and of a part of its content. The second is 0 for items without parts."""


class _Growing:
    __slots__ = ("grown", "index", "summary")

    def __init__(self, index: int, *, grown: bool) -> None:
        self.index = index
        self.grown = grown
        self.summary = 0


class ReadAnswer:
    """The reader of one response. `read` takes the objects of a stream, `read_whole` a plain response."""

    def __init__(self) -> None:
        self._parts = 0
        self._open: dict[PartPosition, _Growing] = {}
        self._calls = False
        self._started = False
        self._done = False

    def read_whole(self, answer: Object) -> Iterator[CanonicalEvent]:
        yield self._begin(answer)
        for index, item in enumerate(seen_children(answer, "output")):
            yield from self._finish_item(index, item)
        yield from self._finish(answer)

    def read(self, event: Object) -> Iterator[CanonicalEvent]:
        kind = event.get("type")
        if self._done or not isinstance(kind, str):
            if event.get("error") and not self._done:
                self._done = True
                yield failure(event["error"])
        elif kind in _GROWING:
            yield from self._grow(_GROWING[kind], event)
        elif kind == "response.output_item.added":
            yield from self._open_item(seen_count(event, "output_index") or 0, seen_child(event, "item"))
        elif kind == "response.output_item.done":
            yield from self._finish_item(seen_count(event, "output_index") or 0, seen_child(event, "item"))
        elif kind == "response.created" and not self._started:
            yield self._begin(seen_child(event, "response"))
        elif kind in _ENDS:
            yield from self._finish(seen_child(event, "response"))
        elif kind == "error":
            self._done = True
            yield failure(event.get("error") or event)

    def end(self) -> Iterator[CanonicalEvent]:
        """Handles the end of the stream. The response is complete only if the provider said so."""
        return iter(())

    def _begin(self, response: Object) -> AnswerStart:
        self._started = True
        created = response.get("created_at")
        created_s = int(created) if isinstance(created, (int, float)) and 0 <= created < 2**40 else None
        return AnswerStart(seen_text(response, "id"), seen_text(response, "model"), created_s)

    def _opened(self, place: PartPosition, part: ContentPart) -> PartStart:
        self._open[place] = _Growing(self._parts, grown=False)
        self._parts += 1
        self._calls = self._calls or isinstance(part, ToolCall)
        return PartStart(0, self._parts - 1, part)

    def _open_item(self, index: int, item: Object) -> Iterator[CanonicalEvent]:
        """Opens an item. The name of a call is known from the start.

        Texts and thoughts become parts once they have content.
        """
        call = _call(item)
        if call is not None and (index, 0) not in self._open:
            yield self._opened((index, 0), call)

    def _grow(self, kind: _Flow, event: Object) -> Iterator[CanonicalEvent]:
        index = seen_count(event, "output_index") or 0
        inner = (seen_count(event, "content_index") or 0) if kind in (TextPart, RefusalPart) else 0
        growing, delta = self._open.get((index, inner)), seen_text(event, "delta")
        if growing is None:
            if kind is ToolCall or not delta:
                return
            thought = Thinking(origin=_OWN, of=seen_text(event, "item_id"))
            begun: ContentPart = (
                TextPart("") if kind is TextPart else RefusalPart("") if kind is RefusalPart else thought
            )
            yield self._opened((index, inner), begun)
            growing = self._open[index, inner]
            growing.summary = seen_count(event, "summary_index") or 0
        if kind is Thinking and growing.summary != (summary := seen_count(event, "summary_index") or 0):
            growing.summary = summary
            delta = f"\n\n{delta}"
        if delta:
            growing.grown = True
            yield PartDelta(0, growing.index, delta)
        weights = seen_children(event, "logprobs")
        if weights:
            yield Logprobs(0, [read_logprob(weight) for weight in weights])

    def _finish_item(self, index: int, item: Object) -> Iterator[CanonicalEvent]:
        """Adds the content of the whole item that has not come in pieces."""
        for inner, part in enumerate(_parts(item)):
            growing = self._open.pop((index, inner), None)
            if growing is None:
                opened = self._opened((index, inner), part)
                del self._open[index, inner]
                yield opened
                yield PartEnd(0, opened.index)
                yield from _weights(item, inner)
                continue
            text = part.arguments if isinstance(part, ToolCall) else getattr(part, "text", "")
            if text and not growing.grown:
                yield PartDelta(0, growing.index, text)
            if isinstance(part, Thinking) and part.signature:
                yield PartSignature(0, growing.index, part.signature, part.of)
            yield PartEnd(0, growing.index)
        for place in [place for place in self._open if place[0] == index]:
            yield PartEnd(0, self._open.pop(place).index)

    def _finish(self, response: Object) -> Iterator[CanonicalEvent]:
        self._done = True
        if seen_text(response, "status") in ("failed", "cancelled") or response.get("error"):
            yield failure(response.get("error") or {})
            return
        for place in list(self._open):
            yield PartEnd(0, self._open.pop(place).index)
        usage = openai_report(response.get("usage"), None, None)
        if usage is not None:
            yield CanonicalUsage(usage.meters, seen_text(response, "service_tier"))
        yield AnswerStop(0, self._reason(response))
        yield AnswerEnd()

    def _reason(self, response: Object) -> StopReason:
        if seen_text(response, "status") == "incomplete":
            why = seen_text(seen_child(response, "incomplete_details"), "reason")
            return "filter" if why == "content_filter" else "length"
        return "calls" if self._calls else "end"


def _call(item: Object) -> ToolCall | None:
    kind = item.get("type")
    if kind not in ("function_call", "custom_tool_call"):
        return None
    return ToolCall(seen_text(item, "call_id"), seen_text(item, "name"), "", kind == "custom_tool_call")


def _parts(item: Object) -> list[ContentPart]:
    """Returns the parts of a whole item.

    Items of OpenAI's own tools are skipped, since a translated request does not use these tools.
    """
    kind = item.get("type")
    if kind == "message":
        return [
            RefusalPart(seen_text(part, "refusal"))
            if part.get("type") == "refusal"
            else TextPart(seen_text(part, "text"))
            for part in seen_children(item, "content")
        ]
    if kind == "reasoning":
        shown = seen_children(item, "summary") or seen_children(item, "content")
        plain = "\n\n".join(seen_text(part, "text") for part in shown)
        signature = seen_text(item, "encrypted_content")
        thinking = Thinking(plain, signature, _OWN, of=seen_text(item, "id"))
        return [thinking] if plain or signature else []
    if kind == "image_generation_call" and seen_text(item, "result"):
        return [MediaPart("image", "image/png", seen_text(item, "result"))]
    call = _call(item)
    if call is None:
        return []
    return [ToolCall(call.id, call.name, seen_text(item, "input" if call.custom else "arguments"), call.custom)]


def _weights(item: Object, inner: int) -> Iterator[CanonicalEvent]:
    content = seen_children(item, "content")
    weights = seen_children(content[inner], "logprobs") if inner < len(content) else []
    if weights:
        yield Logprobs(0, [read_logprob(weight) for weight in weights])
