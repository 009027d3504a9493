"""What the fake provider speaks of pictures, sound, ranks and moderation; some of it in forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from softix_proxy.demo.answer import DemoError, DemoTurn, ServerSentEvent

SOUND_END = b"\x00END"


class Sound(ServerSentEvent):
    """A piece of sound."""

    def encode(self) -> bytes:
        assert isinstance(self.data, bytes)
        return self.data


def read_form(body: bytes) -> dict[str, Any]:
    """The texts of a form, and how long each file is. Raises Refusal."""
    delimiter, _, _ = body.partition(b"\r\n")
    if not delimiter.startswith(b"--") or not body.endswith(delimiter + b"--\r\n"):
        raise DemoError(400, "This is no form.")
    fields: dict[str, Any] = {}
    for part in body.split(delimiter)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = head.split(b'name="')[1].split(b'"')[0].decode()
        value = value.removesuffix(b"\r\n")
        fields[name] = len(value) if b"filename=" in head else value.decode()
    return fields


class Media(msgspec.Struct, kw_only=True):
    family: ClassVar[str] = "openai"
    form: ClassVar[bool] = False
    tool: ClassVar[None] = None
    limit: ClassVar[None] = None
    choices: ClassVar[int] = 0
    model: str
    stream: bool = False

    @property
    def streams(self) -> bool:
        return self.stream

    @property
    def prompt(self) -> list[Any]:
        return []

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        return iter(())


class Moderations(Media, kw_only=True):
    input: str

    @property
    def prompt(self) -> list[Any]:
        return [self.input]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        usage = {"prompt_tokens": turn.input_tokens, "total_tokens": turn.input_tokens}
        results = [{"flagged": False, "categories": {}, "category_scores": {}}]
        return {"id": f"modr-{turn.id}", "model": self.model, "results": results, "usage": usage}


class Rerank(Media, kw_only=True):
    query: str
    documents: list[str]

    @property
    def prompt(self) -> list[Any]:
        return [self.query, self.documents]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        results = [{"index": index, "relevance_score": 0.5} for index in range(len(self.documents))]
        return {"id": turn.id, "results": results, **self._usage(turn)}

    def _usage(self, turn: DemoTurn) -> dict[str, Any]:
        return {"model": self.model, "usage": {"total_tokens": turn.input_tokens}}


class RerankV2(Rerank, kw_only=True):
    def _usage(self, turn: DemoTurn) -> dict[str, Any]:
        return {"meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}


class Images(Media, kw_only=True):
    prefix: ClassVar[str] = "image_generation"
    text: str = msgspec.field(name="prompt", default="")

    @property
    def prompt(self) -> list[Any]:
        return [self.text]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        data = [{"b64_json": "aGVsbG8="}]
        return {"created": turn.created_s, "data": data, "size": "1024x1024", "usage": self._usage(turn)}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        for number, _ in enumerate(turn.reply.pieces):
            kind = f"{self.prefix}.partial_image"
            yield ServerSentEvent({"type": kind, "b64_json": "aGVs", "partial_image_index": number}, kind, tokens=1)
        kind = f"{self.prefix}.completed"
        yield ServerSentEvent({"type": kind, "b64_json": "aGVsbG8=", "usage": self._usage(turn)}, kind)

    def _usage(self, turn: DemoTurn) -> dict[str, Any]:
        made, text = len(turn.reply.pieces), {"text_tokens": turn.input_tokens, "image_tokens": 0}
        counts = {"input_tokens": turn.input_tokens, "output_tokens": made, "total_tokens": turn.input_tokens + made}
        return {**counts, "input_tokens_details": text}


class Edits(Images, kw_only=True):
    prefix: ClassVar[str] = "image_edit"
    form: ClassVar[bool] = True
    image: int


class Variations(Media, kw_only=True):
    form: ClassVar[bool] = True
    image: int
    n: int = 1

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return {"created": turn.created_s, "data": [{"url": "https://example.org/a.png"}] * self.n}


class Speech(Media, kw_only=True):
    input: str
    voice: str
    stream_format: str = "audio"

    @property
    def streams(self) -> bool:
        return True

    @property
    def prompt(self) -> list[Any]:
        return [self.input]

    @property
    def stream_kind(self) -> str:
        return "text/event-stream" if self.stream_format == "sse" else "audio/mpeg"

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        raise NotImplementedError

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        if self.stream_format != "sse":
            for number, _ in enumerate(turn.reply.pieces):
                yield Sound(b"\xff\xf3" + bytes([number]) * 20, tokens=1)
            yield Sound(SOUND_END)
            return
        for _ in turn.reply.pieces:
            yield ServerSentEvent({"type": "speech.audio.delta", "audio": "aGVsbG8="}, tokens=1)
        usage = {"input_tokens": turn.input_tokens, "output_tokens": len(turn.reply.pieces)}
        yield ServerSentEvent({"type": "speech.audio.done", "usage": usage | {"total_tokens": sum(usage.values())}})


class Transcriptions(Media, kw_only=True):
    form: ClassVar[bool] = True
    file: int
    response_format: str = "json"

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        text = {"text": turn.reply.text}
        if self.response_format == "verbose_json":
            return {**text, "task": "transcribe", "language": "english", "duration": 8.25, "segments": []}
        return {**text, "usage": {"type": "duration", "seconds": 9}}

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        for piece in turn.reply.pieces:
            yield ServerSentEvent({"type": "transcript.text.delta", "delta": piece}, tokens=1)
        usage = {"type": "duration", "seconds": 9}
        yield ServerSentEvent({"type": "transcript.text.done", "text": turn.reply.text, "usage": usage})


MEDIA: dict[str, Any] = {
    "/v1/moderations": Moderations,
    "/v1/rerank": Rerank,
    "/v2/rerank": RerankV2,
    "/v1/images/generations": Images,
    "/v1/images/edits": Edits,
    "/v1/images/variations": Variations,
    "/v1/audio/speech": Speech,
    "/v1/audio/transcriptions": Transcriptions,
    "/v1/audio/translations": Transcriptions,
}
