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
_DRAWN = re.compile(rb"[0-9a-f]{24}|(?<=req_fake)\d+")
"""What the fake provider draws, or counts, for each request."""


class Route(NamedTuple):
    path: str
    ask: Mapping[str, Any]
    last_event: bytes = b""
    """What stands in the last event of a stream, and in none before."""
    query: str = ""
    always: bool = False
    """It streams without being asked to."""


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
    "embeddings": Route("/v1/embeddings", {"model": "gpt-test", "input": "What is there to say?"}),
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
        more = {name: value for name, value in options.pop("json", {}).items() if name != "stream" or not route.always}
        options["json"] = {**route.ask, **more}
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
    body = json.dumps({**route.ask, **({} if route.always else {"stream": True})}).encode()
    lines = [f"{name}: {value}" for name, value in {**at.headers, **(headers or {})}.items()]
    head = "\r\n".join(
        [f"POST {route.path}{route.query} HTTP/1.1", "host: softix", *lines, f"content-length: {len(body)}", "", ""]
    )
    writer.write(head.encode() + body)
    return reader, writer
