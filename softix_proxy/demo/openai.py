"""Implements OpenAI's chat, completions and embeddings as they look on the wire."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import msgspec

from softix_proxy.demo.answer import DemoFamily, DemoTurn, ServerSentEvent
from softix_proxy.demo.text import NamedTool, Reply, forced_tool

Positive = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Choices = Annotated[int, msgspec.Meta(ge=1, le=128)]
Prompt = str | list[str | int | list[int]]
"""One text, several texts, the token ids of one text, or those of several."""
DONE = ServerSentEvent("[DONE]")


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


def usage_of(turn: DemoTurn, choices: int) -> dict[str, Any]:
    output = choices * len(turn.reply.pieces)
    return {
        "prompt_tokens": turn.input_tokens,
        "completion_tokens": output,
        "total_tokens": turn.input_tokens + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _finish_reason(reply: Reply) -> str:
    if not reply.complete:
        return "length"
    return "stop" if reply.tool is None else "tool_calls"


class Chat(msgspec.Struct):
    """The body of POST /v1/chat/completions."""

    family: ClassVar[DemoFamily] = "openai"
    model: str
    messages: Annotated[list[Any], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    n: Choices | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None

    @property
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    def prompt(self) -> list[Any]:
        return [self.messages, self.tools]

    @property
    def limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def choices(self) -> int:
        return self.n or 1

    @property
    def tool(self) -> NamedTool | None:
        return forced_tool(self._offered(), self.tool_choice, ("required",))

    def _offered(self) -> Iterator[NamedTool]:
        for entry in self.tools or []:
            function = entry.get("function") if isinstance(entry, dict) else None
            if isinstance(function, dict) and isinstance(name := function.get("name"), str):
                yield NamedTool(name, function.get("parameters"))

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        reply = turn.reply
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
        if reply.tool is not None:
            message |= {"content": None, "tool_calls": [_call(turn.id, reply.tool, reply.text)]}
        return {
            **self._head(turn, "chat.completion"),
            "choices": [
                {"index": index, "message": message, "logprobs": None, "finish_reason": _finish_reason(reply)}
                for index in range(self.choices)
            ],
            "usage": usage_of(turn, self.choices),
        }

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        indexes, tool = range(self.choices), turn.reply.tool
        start: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
        if tool is not None:
            start |= {"content": None, "tool_calls": [{"index": 0, **_call(turn.id, tool, "")}]}
        yield from (self._chunk(turn, index, start) for index in indexes)
        for piece in turn.reply.pieces:
            delta = {"content": piece} if tool is None else _more_arguments(piece)
            yield from (self._chunk(turn, index, delta, tokens=1) for index in indexes)
        yield from (self._chunk(turn, index, {}, _finish_reason(turn.reply)) for index in indexes)
        if self._wants_usage:
            head = self._head(turn, "chat.completion.chunk")
            yield ServerSentEvent({**head, "choices": [], "usage": usage_of(turn, self.choices)})
        yield DONE

    @property
    def _wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def _chunk(
        self, turn: DemoTurn, index: int, delta: Any, finish: str | None = None, tokens: int = 0
    ) -> ServerSentEvent:
        chunk = self._head(turn, "chat.completion.chunk")
        chunk["choices"] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]
        if self._wants_usage:
            chunk["usage"] = None
        return ServerSentEvent(chunk, tokens=tokens)

    def _head(self, turn: DemoTurn, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{turn.id}",
            "object": kind,
            "created": turn.created_s,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": None,
        }


def _call(turn_id: str, tool: NamedTool, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{turn_id}", "type": "function", "function": {"name": tool.name, "arguments": arguments}}


def _more_arguments(piece: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


class Completions(msgspec.Struct):
    """The body of POST /v1/completions."""

    family: ClassVar[DemoFamily] = "openai"
    tool: ClassVar[NamedTool | None] = None
    model: str
    prompt_text: Prompt | None = msgspec.field(name="prompt", default=None)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Positive | None = None
    n: Choices | None = None

    @property
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    def prompt(self) -> list[Any]:
        return [self.prompt_text]

    @property
    def limit(self) -> int | None:
        return self.max_tokens or 16  # 16 is this endpoint's own default

    @property
    def choices(self) -> int:
        several = isinstance(self.prompt_text, list) and self.prompt_text and not isinstance(self.prompt_text[0], int)
        return (self.n or 1) * (len(self.prompt_text or "") if several else 1)

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        reason, head = _finish_reason(turn.reply), self._head(turn)
        choices = [_text_choice(index, turn.reply.text, reason) for index in range(self.choices)]
        return {**head, "choices": choices, "usage": usage_of(turn, self.choices)}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        head, reply = self._head(turn), turn.reply
        asked = bool(self.stream_options and self.stream_options.include_usage)
        unknown = {"usage": None} if asked else {}
        for piece in reply.pieces:
            for index in range(self.choices):
                yield ServerSentEvent({**head, "choices": [_text_choice(index, piece, None)], **unknown}, tokens=1)
        for index in range(self.choices):
            yield ServerSentEvent({**head, "choices": [_text_choice(index, "", _finish_reason(reply))], **unknown})
        if asked:
            yield ServerSentEvent({**head, "choices": [], "usage": usage_of(turn, self.choices)})
        yield DONE

    def _head(self, turn: DemoTurn) -> dict[str, Any]:
        created = {"created": turn.created_s, "model": self.model}
        return {"id": f"cmpl-{turn.id}", "object": "text_completion", **created}


def _text_choice(index: int, text: str, reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}


class Embeddings(msgspec.Struct):
    """The body of POST /v1/embeddings.

    The response has numbers that are the same for the same input and mean nothing.
    """

    family: ClassVar[DemoFamily] = "openai"
    streams: ClassVar[bool] = False
    limit: ClassVar[int | None] = None
    tool: ClassVar[NamedTool | None] = None
    choices: ClassVar[int] = 0
    model: str
    input: Prompt
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=3072)] | None = None
    encoding_format: str | None = None

    @property
    def prompt(self) -> list[Any]:
        return [self.input]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        texts: list[Any] = self.input if isinstance(self.input, list) else [self.input]
        if texts and isinstance(texts[0], int):
            texts = [texts]
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": self._vector(text)}
                for index, text in enumerate(texts)
            ],
            "model": self.model,
            "usage": {"prompt_tokens": turn.input_tokens, "total_tokens": turn.input_tokens},
        }

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        return iter(())

    def _vector(self, text: Any) -> list[float] | str:
        dimensions = self.dimensions or 256
        noise = hashlib.shake_128(msgspec.json.encode(text)).digest(dimensions)
        vector = [byte / 127.5 - 1 for byte in noise]
        if self.encoding_format != "base64":
            return vector
        return base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode()
