"""What the fake provider speaks beside the demo's dialects, and what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from provider_media import MEDIA, read_form

from softix_proxy.demo.answer import DemoError, DemoRequest, DemoTurn, ServerSentEvent
from softix_proxy.demo.server import ENDPOINTS, decode

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


_NAMED = re.compile(r"/v1(?:beta)?/models/(.+):(\w+)")
"""Gemini's way to name a model."""


_PLACES = (
    (re.compile(r"/(?:openai|inference|api|compatibility)(?=/v1/)"), ""),
    (re.compile(r"(?=/chat/completions$)"), "/v1"),
    (re.compile(r"/v1/projects/[\w-]+/locations/[\w-]+/publishers/google(?=/models/)"), "/v1beta"),
)
"""Where providers have what is elsewhere at others → what stands there at OpenAI and Google."""


def usual(path: str) -> str:
    for place, there in _PLACES:
        if place.match(path):
            return place.sub(there, path, count=1)
    return path


def is_gemini(path: str) -> bool:
    return _NAMED.fullmatch(path) is not None


def find(path: str) -> type[DemoRequest] | None:
    named = _NAMED.fullmatch(path)
    return GEMINI.get(named[2]) if named else MEDIA.get(path) or COUNTS.get(path) or ENDPOINTS.get(path)


def read(endpoint: type[Any], path: str, query: str, body: bytes) -> DemoRequest:
    """Raises Refusal, which quotes nothing."""
    if getattr(endpoint, "form", False):
        return convert(endpoint, read_form(body))
    asked = decode(endpoint, body)
    if named := _NAMED.fullmatch(path):
        asked.model = named[1]
        asked.is_array = "alt=sse" not in query  # type: ignore[attr-defined]
    return asked


def convert(endpoint: type[Any], fields: dict[str, Any]) -> DemoRequest:
    """A form has texts only. Raises Refusal."""
    try:
        return msgspec.convert(fields, endpoint, strict=False)
    except msgspec.ValidationError:
        raise DemoError(400, "A field is missing, or not of the right type.") from None


def gemini_error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": STATUSES.get(status, "INTERNAL")}}


class Element(ServerSentEvent):
    """One element of a stream that is a JSON array; its `event` is what stands before it."""

    def encode(self) -> bytes:
        data = self.data.encode() if isinstance(self.data, str) else msgspec.json.encode(self.data)
        return (self.event or "").encode() + data


class Content(msgspec.Struct):
    parts: list[dict[str, Any]]
    role: str = "user"


class Config(msgspec.Struct):
    maxOutputTokens: int | None = None  # noqa: N815 - the wire's own names


class GenerateContent(msgspec.Struct, kw_only=True):
    family: ClassVar[str] = "gemini"
    streams: ClassVar[bool] = False
    tool: ClassVar[None] = None
    choices: ClassVar[int] = 1
    contents: list[Content]
    systemInstruction: Content | None = None  # noqa: N815
    generationConfig: Config | None = None  # noqa: N815
    model: str = ""
    is_array: bool = False

    @property
    def prompt(self) -> list[Any]:
        contents = [*self.contents, *([self.systemInstruction] if self.systemInstruction else [])]
        return [part.get("text") for content in contents for part in content.parts]

    @property
    def limit(self) -> int | None:
        return self.generationConfig.maxOutputTokens if self.generationConfig else None

    @property
    def stream_kind(self) -> str:
        return "application/json; charset=UTF-8" if self.is_array else "text/event-stream"

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return self._chunk(
            turn, turn.reply.text, len(turn.reply.pieces), "STOP" if turn.reply.complete else "MAX_TOKENS"
        )

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        pieces = turn.reply.pieces
        for number, piece in enumerate(pieces, 1):
            finish = None if number < len(pieces) else "STOP" if turn.reply.complete else "MAX_TOKENS"
            chunk = self._chunk(turn, piece, number, finish)
            yield (
                Element(chunk, "[" if number == 1 else "\n,\r\n", 1)
                if self.is_array
                else ServerSentEvent(chunk, tokens=1)
            )
        if self.is_array:
            yield Element("\n]\n")

    def _chunk(self, turn: DemoTurn, text: str, spoken: int, finish: str | None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        usage = {"promptTokenCount": turn.input_tokens, "candidatesTokenCount": spoken}
        return {
            "candidates": [candidate | ({"finishReason": finish} if finish else {})],
            "usageMetadata": usage | {"totalTokenCount": sum(usage.values())},
            "modelVersion": self.model,
            "responseId": turn.id,
        }


class StreamGenerateContent(GenerateContent, kw_only=True):
    streams: ClassVar[bool] = True


class CountTokens(GenerateContent, kw_only=True):
    contents: list[Content] = msgspec.field(default_factory=list)
    generateContentRequest: GenerateContent | None = None  # noqa: N815

    @property
    def prompt(self) -> list[Any]:
        return GenerateContent.prompt.fget(self.generateContentRequest or self)  # type: ignore[attr-defined, no-any-return]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return {"totalTokens": turn.input_tokens}


class InputTokens(msgspec.Struct, kw_only=True):
    family: ClassVar[str] = "openai"
    streams: ClassVar[bool] = False
    tool: ClassVar[None] = None
    limit: ClassVar[None] = None
    choices: ClassVar[int] = 0
    model: str
    input: str | list[Any]
    instructions: str | None = None

    @property
    def prompt(self) -> list[Any]:
        return [self.instructions, self.input]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return {"object": "response.input_tokens", "input_tokens": turn.input_tokens}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        return iter(())


class EmbedContent(msgspec.Struct, kw_only=True):
    family: ClassVar[str] = "gemini"
    streams: ClassVar[bool] = False
    tool: ClassVar[None] = None
    limit: ClassVar[None] = None
    choices: ClassVar[int] = 0
    content: Content
    model: str = ""
    is_array: bool = False

    @property
    def prompt(self) -> list[Any]:
        return [part.get("text") for part in self.content.parts]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return {"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": turn.input_tokens}}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        return iter(())


class BatchEmbedContents(EmbedContent, kw_only=True):
    content: Content = msgspec.field(default_factory=lambda: Content([]))
    requests: list[EmbedContent]

    @property
    def prompt(self) -> list[Any]:
        return [part.get("text") for request in self.requests for part in request.content.parts]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        embeddings = [{"values": [0.5]} for _ in self.requests]
        return {"embeddings": embeddings, "usageMetadata": {"promptTokenCount": turn.input_tokens}}


COUNTS: dict[str, Any] = {"/v1/responses/input_tokens": InputTokens}
GEMINI: dict[str, Any] = {
    "generateContent": GenerateContent,
    "streamGenerateContent": StreamGenerateContent,
    "countTokens": CountTokens,
    "embedContent": EmbedContent,
    "batchEmbedContents": BatchEmbedContents,
}
