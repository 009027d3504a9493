"""Implements Anthropic's messages as they look on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import msgspec

from softix_proxy.demo.answer import DemoFamily, DemoTurn, ServerSentEvent
from softix_proxy.demo.text import NamedTool, Reply, forced_tool


class CountTokens(msgspec.Struct):
    """The body of POST /v1/messages/count_tokens."""

    family: ClassVar[DemoFamily] = "anthropic"
    streams: ClassVar[bool] = False
    limit: ClassVar[int | None] = None
    tool: ClassVar[NamedTool | None] = None
    choices: ClassVar[int] = 0
    model: str
    messages: Annotated[list[Any], msgspec.Meta(min_length=1)]
    system: str | list[Any] | None = None
    tools: list[Any] | None = None

    @property
    def prompt(self) -> list[Any]:
        return [self.system, self.messages, self.tools]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return {"input_tokens": turn.input_tokens}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        return iter(())


class Messages(msgspec.Struct):
    """The body of POST /v1/messages."""

    family: ClassVar[DemoFamily] = "anthropic"
    choices: ClassVar[int] = 1
    model: str
    messages: Annotated[list[Any], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    system: str | list[Any] | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    stream: bool | None = None

    @property
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    def prompt(self) -> list[Any]:
        return [self.system, self.messages, self.tools]

    @property
    def limit(self) -> int | None:
        return self.max_tokens

    @property
    def tool(self) -> NamedTool | None:
        return forced_tool(self._offered(), self.tool_choice, ("any",))

    def _offered(self) -> Iterator[NamedTool]:
        for entry in self.tools or []:
            if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
                yield NamedTool(name, entry.get("input_schema"))

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        reply = turn.reply
        block = _block(turn.id, reply) | ({"text": reply.text} if reply.tool is None else {"input": _arguments(reply)})
        ended = {"stop_reason": _stop_reason(reply), "usage": _usage(turn.input_tokens, len(reply.pieces))}
        return self._message(turn) | {"content": [block]} | ended

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        for kind, fields, tokens in self._events(turn):
            yield ServerSentEvent({"type": kind, **fields}, kind, tokens)

    def _events(self, turn: DemoTurn) -> Iterator[tuple[str, dict[str, Any], int]]:
        """Yields each event's type, its fields, and the number of its tokens."""
        reply = turn.reply
        yield "message_start", {"message": self._message(turn)}, 0
        yield "content_block_start", {"index": 0, "content_block": _block(turn.id, reply)}, 0
        yield "ping", {}, 0
        kind, field = ("text_delta", "text") if reply.tool is None else ("input_json_delta", "partial_json")
        for piece in reply.pieces:
            yield "content_block_delta", {"index": 0, "delta": {"type": kind, field: piece}}, 1
        yield "content_block_stop", {"index": 0}, 0
        ended = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        yield "message_delta", {"delta": ended, "usage": {"output_tokens": len(reply.pieces)}}, 0
        yield "message_stop", {}, 0

    def _message(self, turn: DemoTurn) -> dict[str, Any]:
        return {
            "id": f"msg_{turn.id}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(turn.input_tokens, 0),
        }


def _usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }


def _stop_reason(reply: Reply) -> str:
    if not reply.complete:
        return "max_tokens"
    return "end_turn" if reply.tool is None else "tool_use"


def _block(turn_id: str, reply: Reply) -> dict[str, Any]:
    """Returns a content block that has just begun."""
    if reply.tool is None:
        return {"type": "text", "text": "", "citations": None}
    return {"type": "tool_use", "id": f"toolu_{turn_id}", "name": reply.tool.name, "input": {}}


def _arguments(reply: Reply) -> Any:
    """Returns the tool's arguments. Text that was cut in the middle is not JSON, so it gives empty arguments."""
    return msgspec.json.decode(reply.text) if reply.complete else {}
