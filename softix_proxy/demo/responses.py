"""Implements OpenAI's Responses API as it looks on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from softix_proxy.demo.answer import DemoFamily, DemoTurn, ServerSentEvent
from softix_proxy.demo.openai import Positive
from softix_proxy.demo.text import NamedTool, forced_tool


class Responses(msgspec.Struct):
    """The body of POST /v1/responses."""

    family: ClassVar[DemoFamily] = "openai"
    choices: ClassVar[int] = 1
    model: str
    input: str | list[Any]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Positive | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None

    @property
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    def prompt(self) -> list[Any]:
        return [self.instructions, self.input, self.tools]

    @property
    def limit(self) -> int | None:
        return self.max_output_tokens

    @property
    def tool(self) -> NamedTool | None:
        return forced_tool(self._offered(), self.tool_choice, ("required",))

    def _offered(self) -> Iterator[NamedTool]:
        for entry in self.tools or []:
            if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
                yield NamedTool(name, entry.get("parameters"))

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        status = "completed" if turn.reply.complete else "incomplete"
        output = len(turn.reply.pieces)
        return self._response(turn, status) | {
            "output": [_item(turn, status, turn.reply.text)],
            "usage": {
                "input_tokens": turn.input_tokens,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": output,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": turn.input_tokens + output,
            },
        }

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        for number, (kind, fields, tokens) in enumerate(self._events(turn)):
            yield ServerSentEvent({"type": kind, "sequence_number": number, **fields}, kind, tokens)

    def _events(self, turn: DemoTurn) -> Iterator[tuple[str, dict[str, Any], int]]:
        """Yields each event's type, its fields, and the number of its tokens."""
        started = {"response": self._response(turn, "in_progress")}
        yield "response.created", started, 0
        yield "response.in_progress", started, 0
        yield "response.output_item.added", {"output_index": 0, "item": _item(turn, "in_progress", None)}, 0
        yield from _text_events(turn) if turn.reply.tool is None else _argument_events(turn)
        ended = self.whole(turn)
        yield "response.output_item.done", {"output_index": 0, "item": ended["output"][0]}, 0
        yield f"response.{ended['status']}", {"response": ended}, 0

    def _response(self, turn: DemoTurn, status: str) -> dict[str, Any]:
        return {
            "id": f"resp_{turn.id}",
            "object": "response",
            "created_at": turn.created_s,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": None,
            "max_output_tokens": self.max_output_tokens,
            "model": self.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "service_tier": "default",
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None,
            "user": None,
            "metadata": {},
        }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _item(turn: DemoTurn, status: str, text: str | None) -> dict[str, Any]:
    """Returns the one item of the output. Without a text it has just begun."""
    if turn.reply.tool is not None:
        call = {"call_id": f"call_{turn.id}", "name": turn.reply.tool.name, "arguments": text or ""}
        return {"id": f"fc_{turn.id}", "type": "function_call", "status": status, **call}
    content = [] if text is None else [_part(text)]
    return {"id": f"msg_{turn.id}", "type": "message", "status": status, "role": "assistant", "content": content}


def _text_events(turn: DemoTurn) -> Iterator[tuple[str, dict[str, Any], int]]:
    place = {"item_id": f"msg_{turn.id}", "output_index": 0, "content_index": 0}
    yield "response.content_part.added", {**place, "part": _part("")}, 0
    for piece in turn.reply.pieces:
        yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}, 1
    yield "response.output_text.done", {**place, "text": turn.reply.text, "logprobs": []}, 0
    yield "response.content_part.done", {**place, "part": _part(turn.reply.text)}, 0


def _argument_events(turn: DemoTurn) -> Iterator[tuple[str, dict[str, Any], int]]:
    place = {"item_id": f"fc_{turn.id}", "output_index": 0}
    for piece in turn.reply.pieces:
        yield "response.function_call_arguments.delta", {**place, "delta": piece}, 1
    name = turn.reply.tool.name if turn.reply.tool else ""
    yield "response.function_call_arguments.done", {**place, "name": name, "arguments": turn.reply.text}, 0
