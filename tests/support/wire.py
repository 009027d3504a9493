"""Two dialects as they look on the wire, for tests that compare bytes and headers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from support.daemon import Prepared

SAY = [{"role": "user", "content": "What is there to say?"}]
PARTS = [{"parts": [{"text": "What is there to say?"}]}]
GEMINI = "/v1beta/models/gemini-test"
GEMINI_ASK = {"contents": PARTS, "generationConfig": {"maxOutputTokens": 64}}
BOUNDARY = "softix-test"
FILE = "not really a picture, or a sound\r\n--softix\r\n"
PICTURE = {"model": "gpt-test", "prompt": "A river."}
HEARD = {"audio_ms": 9000}
_DRAWN = re.compile(rb"[0-9a-f]{24}|(?<=req_fake)\d+")
"""What the fake provider draws, or counts, for each request."""


class Route(NamedTuple):
    path: str
    ask: Mapping[str, Any]
    last_event: bytes = b""
    """What stands on the wire with the last event of a stream, and not before."""
    query: str = ""
    always: bool = False
    """It streams without being asked to."""
    file: str = ""
    """The name of the file that is sent; the request is a form then."""
    meters: Mapping[str, int] | None = None
    """What its row has to have, where it is not the tokens that the provider booked."""

    def body(self, more: Mapping[str, Any]) -> tuple[str, bytes]:
        """Its type, and itself with further fields."""
        fields = {**self.ask, **{name: value for name, value in more.items() if name != "stream" or not self.always}}
        if not self.file:
            return "application/json", json.dumps(fields).encode()
        texts = [
            (name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in fields.items()
        ]
        parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in texts]
        parts += [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{self.file}"; filename="f"\r\n\r\n{FILE}']
        return f"multipart/form-data; boundary={BOUNDARY}", "\r\n".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()


ROUTES: Mapping[str, Route] = {
    "chat_completions": Route(
        "/v1/chat/completions", {"model": "gpt-test", "max_tokens": 64, "messages": SAY}, b"data: [DONE]"
    ),
    "completions": Route("/v1/completions", {"model": "gpt-test", "prompt": "Once", "max_tokens": 64}, b"data: [DONE]"),
    "responses": Route(
        "/v1/responses",
        {"model": "gpt-test", "input": "What is there to say?", "max_output_tokens": 64},
        b"event: response.completed",
    ),
    "input_tokens": Route("/v1/responses/input_tokens", {"model": "gpt-test", "input": "What is there to say?"}),
    "embeddings": Route("/v1/embeddings", {"model": "gpt-test", "input": "What is there to say?"}),
    "moderations": Route("/v1/moderations", {"model": "gpt-test", "input": "What is there to say?"}),
    "image_generations": Route(
        "/v1/images/generations", PICTURE, b"event: image_generation.completed", meters={"image_output_tokens": 8}
    ),
    "image_edits": Route(
        "/v1/images/edits", PICTURE, b"event: image_edit.completed", file="image", meters={"image_output_tokens": 8}
    ),
    "image_variations": Route(
        "/v1/images/variations", {"model": "image-test", "n": 2}, file="image", meters={"images": 2}
    ),
    "speech": Route(
        "/v1/audio/speech",
        {"model": "speech-test", "input": "What is there to say?", "voice": "alloy"},
        b"\r\n1\r\nD\r\n",
        always=True,
        meters={"characters": 21},
    ),
    "transcriptions": Route(
        "/v1/audio/transcriptions", {"model": "sound-test"}, b"transcript.text.done", file="file", meters=HEARD
    ),
    "translations": Route(
        "/v1/audio/translations",
        {"model": "sound-test", "response_format": "verbose_json"},
        file="file",
        meters={"audio_ms": 8250},
    ),
    "rerank": Route("/v1/rerank", {"model": "gpt-test", "query": "rivers", "documents": ["Rhine", "Alps"]}),
    "rerank_v2": Route(
        "/v2/rerank",
        {"model": "rank-test", "query": "rivers", "documents": ["Rhine", "Alps"]},
        meters={"search_units": 1},
    ),
    "messages": Route(
        "/v1/messages", {"model": "claude-test", "max_tokens": 64, "messages": SAY}, b"event: message_stop"
    ),
    "count_tokens": Route("/v1/messages/count_tokens", {"model": "claude-test", "messages": SAY}),
    "generate_content": Route(f"{GEMINI}:generateContent", GEMINI_ASK),
    "stream_generate_content": Route(
        f"{GEMINI}:streamGenerateContent", GEMINI_ASK, b'"finishReason"', "?alt=sse", always=True
    ),
    "gemini_count_tokens": Route(f"{GEMINI}:countTokens", {"contents": PARTS}),
    "embed_content": Route(f"{GEMINI}:embedContent", {"content": PARTS[0]}),
    "batch_embed_contents": Route(f"{GEMINI}:batchEmbedContents", {"requests": [{"content": PARTS[0]}]}),
}
"""By the name of the endpoint."""
CHAT, MESSAGES = ROUTES["chat_completions"], ROUTES["messages"]
STREAMED = [name for name, route in ROUTES.items() if route.last_event]


class Answered(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def drawn(self) -> bytes:
        """The body without what differs between any two answers."""
        return _DRAWN.sub(b"ID", self.body)


async def post(
    session: aiohttp.ClientSession, url: str, route: Route, headers: Mapping[str, str], **options: Any
) -> Answered:
    """`json` adds to what the route asks, `data` stands in its place."""
    if "data" not in options:
        kind, options["data"] = route.body(options.pop("json", {}))
        headers = {"content-type": kind, **headers}
    return await send(session, "POST", url + route.path + route.query, headers, **options)


async def send(
    session: aiohttp.ClientSession, method: str, url: str, headers: Mapping[str, str], **options: Any
) -> Answered:
    async with session.request(method, url, headers=headers, **options) as answer:
        shown = {name.lower(): value for name, value in answer.headers.items()}
        return Answered(answer.status, shown, await answer.read())


async def connect(at: Prepared) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = at.url.rpartition("/")[2].rsplit(":", 1)
    return await asyncio.open_connection(host, int(port))


async def begin_stream(
    at: Prepared, route: Route, headers: Mapping[str, str] | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream asked for over a connection of its own, which the caller reads, or leaves."""
    reader, writer = await connect(at)
    kind, body = route.body({"stream": True})
    lines = [f"{name}: {value}" for name, value in {"content-type": kind, **at.headers, **(headers or {})}.items()]
    head = "\r\n".join(
        [f"POST {route.path}{route.query} HTTP/1.1", "host: softix", *lines, f"content-length: {len(body)}", "", ""]
    )
    writer.write(head.encode() + body)
    return reader, writer
