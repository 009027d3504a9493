"""Writes a response for a client that speaks responses, plain or streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softix_proxy.dialects.canonical.accumulate import Accumulator
from softix_proxy.dialects.canonical.framing import named_event
from softix_proxy.dialects.canonical.ids import answer_id
from softix_proxy.dialects.canonical.json_values import Object
from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    Choice,
    ContentPart,
    ErrorEvent,
    Logprobs,
    MediaPart,
    Namespace,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    RefusalPart,
    ResponseContext,
    TextPart,
    Thinking,
    ToolCall,
    ToolResult,
)
from softix_proxy.dialects.canonical.usage import responses_usage
from softix_proxy.dialects.canonical.write_error import responses_error
from softix_proxy.dialects.openai.chat.write_answer import write_logprob
from softix_proxy.dialects.openai.responses.namespaces import homes, write_choice, write_tools
from softix_proxy.dialects.openai.responses.write_request import write_format

_OWN = "responses"
_NO_CHOICE = Choice()
_INCOMPLETE = {"length": "max_output_tokens", "context": "max_output_tokens", "filter": "content_filter"}


def write_answer(answer: CanonicalAnswer, context: ResponseContext) -> Object:
    """Writes a whole canonical response in OpenAI's format."""
    response = _head(answer.start, context)
    choice = answer.choices[0] if answer.choices else _NO_CHOICE
    weights = choice.logprobs
    places = homes(context.request.tools)
    for index, part in enumerate(choice.parts):
        item = _item(part, _item_id(response["id"], part, index), places, weights)
        if item is not None:
            response["output"].append(item)
        if isinstance(part, TextPart):
            weights = None  # The log probabilities are those of the whole response, so they go to its first text.
    why = _INCOMPLETE.get(choice.reason)
    response["status"] = "incomplete" if why else "completed"
    response["incomplete_details"] = {"reason": why} if why else None
    if answer.usage is not None:
        response["usage"] = responses_usage(answer.usage)
        response["service_tier"] = answer.usage.service_tier or "default"
    if answer.failure is not None:
        response["status"] = "failed"
        response["error"] = responses_error(answer.failure.kind, answer.failure.message)
    return response


def _head(start: AnswerStart, context: ResponseContext) -> dict[str, Any]:
    request = context.request
    reasoning = request.reasoning
    return {
        "id": answer_id(start.id, "resp_", context.id),
        "object": "response",
        "created_at": context.now_s if start.created_s is None else start.created_s,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": request.max_output_tokens,
        "metadata": request.metadata or {},
        "model": start.model or request.model,
        "output": [],
        "parallel_tool_calls": request.parallel_calls is not False,
        "previous_response_id": None,
        "reasoning": {"effort": (reasoning and reasoning.effort) or None, "summary": None},
        "store": False,
        "temperature": request.temperature,
        "text": {"format": write_format(request.format) or {"type": "text"}},
        "tool_choice": write_choice(request.tool_choice, request.tools) or "auto",
        "tools": write_tools(request.tools),
        "top_p": request.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": request.user or None,
    }


def _item_id(answer: str, part: ContentPart, index: int) -> str:
    if isinstance(part, Thinking):
        prefix = "rs"
    elif isinstance(part, ToolCall):
        prefix = "ctc" if part.custom else "fc"
    else:
        prefix = "ig" if isinstance(part, MediaPart) else "msg"
    return f"{prefix}_{answer.removeprefix('resp_')}_{index}"


def _item(
    part: ContentPart, known_as: str, places: Mapping[str, Namespace], weights: Any = None, *, begun: bool = False
) -> Object | None:
    """Writes an output item. `begun` writes it as it is announced, before it has content."""
    status = "in_progress" if begun else "completed"
    if isinstance(part, Thinking):
        summary = [] if begun or not part.text else [{"type": "summary_text", "text": part.text}]
        item: Object = {"id": known_as, "type": "reasoning", "summary": summary}
        return item if begun or not part.signature else {**item, "encrypted_content": tag_signature(part, _OWN)}
    if isinstance(part, ToolCall):
        kind, field = ("custom_tool_call", "input") if part.custom else ("function_call", "arguments")
        arguments = "" if begun else part.arguments or ("" if part.custom else "{}")
        item = {"id": known_as, "type": kind, "status": status, "call_id": part.id, **_called(part, places)}
        return {**item, field: arguments}
    if isinstance(part, MediaPart):
        return {"id": known_as, "type": "image_generation_call", "status": status, "result": part.data}
    if isinstance(part, ToolResult):
        return None
    content = [] if begun else [_content(part, weights)]
    return {"id": known_as, "type": "message", "status": status, "role": "assistant", "content": content}


def _called(call: ToolCall, places: Mapping[str, Namespace]) -> Object:
    home = places.get(call.name)
    return {"name": call.name} if home is None else {"name": home.tool, "namespace": home.name}


def _content(part: TextPart | RefusalPart, weights: Any = None) -> Object:
    if isinstance(part, RefusalPart):
        return {"type": "refusal", "refusal": part.text}
    logprobs = [write_logprob(weight) for weight in weights or ()]
    return {"type": "output_text", "annotations": [], "logprobs": logprobs, "text": part.text}


class WriteStream:
    """The writer of a stream. Each item is announced, grows, and is then sent as a whole.

    The last event contains the whole response. All events are numbered.
    """

    def __init__(self, context: ResponseContext) -> None:
        self._context = context
        self._accumulator = Accumulator()
        self._number = 0
        self._id = ""
        self._places = homes(context.request.tools)
        self._open: dict[int, tuple[str, ContentPart]] = {}
        """A mapping from the index of a part to its item's id and its first state."""

    def write(self, event: CanonicalEvent) -> bytes:
        if isinstance(event, (PartStart, PartDelta, PartSignature, PartEnd, AnswerStop, Logprobs)) and event.choice:
            return b""  # A stream has only one choice here, and no other was requested.
        self._accumulator.take(event)
        if isinstance(event, PartDelta):
            return self._grow(event.index, event.text)
        if isinstance(event, PartStart):
            return self._begin(event.index, event.part)
        if isinstance(event, PartEnd):
            return self._finish(event.index)
        if isinstance(event, AnswerStart):
            response = _head(event, self._context)
            self._id = response["id"]
            started = [self._event(f"response.{kind}", response=response) for kind in ("created", "in_progress")]
            return b"".join(started)
        if isinstance(event, (AnswerEnd, ErrorEvent)):
            return self._end(event)
        return b""

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return named_event({"type": kind, "sequence_number": self._number - 1, **fields})

    def _begin(self, index: int, part: ContentPart) -> bytes:
        known_as = _item_id(self._id, part, index)
        self._open[index] = (known_as, part)
        announced = self._event(
            "response.output_item.added", output_index=index, item=_item(part, known_as, self._places, begun=True)
        )
        place = {"item_id": known_as, "output_index": index}
        text = ""
        if isinstance(part, (TextPart, RefusalPart)):
            empty = _content(TextPart("") if isinstance(part, TextPart) else RefusalPart(""))
            announced += self._event("response.content_part.added", **place, content_index=0, part=empty)
            text = part.text
        elif isinstance(part, Thinking):
            text = part.text
            if text:
                announced += self._begin_summary(place)
        elif isinstance(part, ToolCall):
            text = part.arguments
        return announced + (self._delta(part, place, text) if text else b"")

    def _begin_summary(self, place: Object) -> bytes:
        empty = {"type": "summary_text", "text": ""}
        return self._event("response.reasoning_summary_part.added", **place, summary_index=0, part=empty)

    def _grow(self, index: int, text: str) -> bytes:
        known_as, part = self._open[index]
        place = {"item_id": known_as, "output_index": index}
        begun = b""
        if isinstance(part, Thinking) and not part.text:
            begun = self._begin_summary(place)
            self._open[index] = (known_as, Thinking(text))
        return begun + self._delta(part, place, text)

    def _delta(self, part: ContentPart, place: Object, text: str) -> bytes:
        if isinstance(part, Thinking):
            return self._event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=text)
        if isinstance(part, ToolCall):
            kind = "custom_tool_call_input" if part.custom else "function_call_arguments"
            return self._event(f"response.{kind}.delta", **place, delta=text)
        if isinstance(part, RefusalPart):
            return self._event("response.refusal.delta", **place, content_index=0, delta=text)
        return self._event("response.output_text.delta", **place, content_index=0, delta=text, logprobs=[])

    def _finish(self, index: int) -> bytes:
        part = self._accumulator.part(0, index)
        known_as, _ = self._open[index]
        place = {"item_id": known_as, "output_index": index}
        done = b""
        if isinstance(part, (TextPart, RefusalPart)):
            done = self._finish_text(part, {**place, "content_index": 0})
        elif isinstance(part, Thinking) and part.text:
            summary = {**place, "summary_index": 0}
            whole = {"type": "summary_text", "text": part.text}
            done = self._event("response.reasoning_summary_text.done", **summary, text=part.text)
            done += self._event("response.reasoning_summary_part.done", **summary, part=whole)
        elif isinstance(part, ToolCall) and part.custom:
            done = self._event("response.custom_tool_call_input.done", **place, input=part.arguments)
        elif isinstance(part, ToolCall):
            arguments = part.arguments or "{}"
            name = _called(part, self._places)["name"]
            done = self._event("response.function_call_arguments.done", **place, name=name, arguments=arguments)
        item = _item(part, known_as, self._places)
        return done + self._event("response.output_item.done", output_index=index, item=item)

    def _finish_text(self, part: TextPart | RefusalPart, place: Object) -> bytes:
        if isinstance(part, RefusalPart):
            done = self._event("response.refusal.done", **place, refusal=part.text)
        else:
            done = self._event("response.output_text.done", **place, text=part.text, logprobs=[])
        return done + self._event("response.content_part.done", **place, part=_content(part))

    def _end(self, event: AnswerEnd | ErrorEvent) -> bytes:
        if isinstance(event, ErrorEvent) and not self._id:
            error = responses_error(event.kind, event.message)
            return self._event("error", **error, param=None)
        response = write_answer(self._accumulator.answer(), self._context)
        return self._event(f"response.{response['status']}", response=response)
