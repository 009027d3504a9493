"""A provider that keeps things: whatever a request names is there, whoever asks. It writes down what it is asked."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


@dataclass
class KeepingLab:
    """Speaks all dialects. Each answer has new ids, unless `next_id` says which one a response has."""

    base_url: str = ""
    seen: list[tuple[str, Any]] = field(default_factory=list)
    """The path and the body of everything that was asked."""
    headers: list[dict[str, str]] = field(default_factory=list)
    next_id: str = ""
    cites: str = ""
    """The file that the next responses quote."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw.startswith(b"{") else raw
        self.seen.append((request.path, body))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        path = request.path
        if path.endswith("/responses"):
            return await self._respond(request, body)
        if path.endswith("/files"):
            name = self._id("file-")
            return web.json_response({"id": name, "object": "file", "purpose": "batch", "status": "processed"})
        if path.endswith("/chat/completions"):
            return web.json_response(self._completion(body))
        if path.endswith("/messages"):
            return web.json_response(self._message())
        if "generateContent" in path:
            parts = {"role": "model", "parts": [{"text": "Well."}]}
            told = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
            return web.json_response(
                {"candidates": [{"content": parts, "finishReason": "STOP"}], "usageMetadata": told}
            )
        if path.endswith("/audio/speech"):
            return web.Response(body=b"sound", content_type="audio/mpeg")
        return web.json_response({"input_tokens": 10, "totalTokens": 10, "object": "response.input_tokens"})

    def _id(self, kind: str) -> str:
        name, self.next_id = self.next_id, ""
        return name or f"{kind}{secrets.token_hex(8)}"

    async def _respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        annotations = (
            [{"type": "file_citation", "file_id": self.cites, "filename": "f", "index": 0}] if self.cites else []
        )
        text = {"type": "output_text", "text": "Well.", "annotations": annotations}
        message = {"type": "message", "id": self._id("msg_"), "role": "assistant", "status": "completed"}
        answer = {
            "id": f"resp_{secrets.token_hex(8)}",
            "object": "response",
            "status": "completed",
            "model": body["model"],
            "output": [
                {"type": "reasoning", "id": f"rs_{secrets.token_hex(8)}", "summary": []},
                {**message, "content": [text]},
            ],
            "conversation": {"id": f"conv_{secrets.token_hex(8)}"},
            "usage": USAGE,
            **{name: body[name] for name in ("prompt_cache_key", "user", "safety_identifier", "store") if name in body},
        }
        if not body.get("stream"):
            return web.json_response(answer)
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        begun = {**answer, "status": "in_progress", "output": [], "usage": None}
        for kind, response in (("response.created", begun), ("response.completed", answer)):
            event = json.dumps({"type": kind, "response": response}, separators=(",", ":"))
            await stream.write(f"event: {kind}\ndata: {event}\n\n".encode())
        return stream

    def _completion(self, body: Any) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "Well."}
        if "audio" in (body.get("modalities") or ()):
            message["audio"] = {"id": self._id("audio_"), "data": "", "expires_at": 1, "transcript": "Well."}
        return {
            "id": f"chatcmpl-{secrets.token_hex(8)}",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }

    def _message(self) -> dict[str, Any]:
        return {
            "id": f"msg_{secrets.token_hex(8)}",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [{"type": "text", "text": "Well."}],
            "container": {"id": self._id("container_"), "expires_at": "2026-12-01T00:00:00Z"},
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }


@asynccontextmanager
async def keeping_lab() -> AsyncIterator[KeepingLab]:
    lab = KeepingLab()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", lab.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        lab.base_url = f"http://{host}:{port}"
        yield lab
    finally:
        await runner.cleanup()
