"""A provider that takes batches, as OpenAI and Anthropic do. What is in one runs when the test says so."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

COUNTS = {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}


@dataclass
class BatchLab:
    """Each request reads 10 tokens and writes 5. A `custom_id` like `bad…` fails, one like `late…` never runs."""

    base_url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    """Of what was seen."""
    """Method and path of everything that was asked."""
    headers: list[dict[str, str]] = field(default_factory=list)
    refusing: int = 0
    """The status that the next batch is refused with."""
    tokens: tuple[int, int] = (10, 5)
    instead: Callable[[str, str], web.Response | None] = lambda method, path: None
    """What is answered in place of what is asked, if anything."""
    before_content: Callable[[], Awaitable[object]] | None = None
    """What happens while a file is fetched."""

    def end(self) -> None:
        """Every batch runs now."""
        for name, batch in self.batches.items():
            if batch.get("status") == "in_progress":
                self._end_openai(name, batch)
            elif batch.get("processing_status") == "in_progress":
                batch["processing_status"] = "ended"
                batch["ended_at"] = "2026-11-01T10:00:00Z"
                batch["results_url"] = f"https://api.anthropic.com/v1/messages/batches/{name}/results"

    def _end_openai(self, name: str, batch: dict[str, Any]) -> None:
        batch["status"] = "completed"
        done, failed = [], []
        for request in self.requests[name]:
            custom_id = request["custom_id"]
            if custom_id.startswith("late"):
                continue
            bad = custom_id.startswith("bad")
            read, written = self.tokens
            body = {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": request["body"]["model"],
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Well."}}
                ],
                "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
            }
            error = {"error": {"message": "no", "type": "invalid_request_error"}}
            response = {"status_code": 400 if bad else 200, "request_id": "r", "body": error if bad else body}
            (failed if bad else done).append({"id": "r", "custom_id": custom_id, "response": response, "error": None})
        for kind, lines in (("output_file_id", done), ("error_file_id", failed)):
            if lines:
                batch[kind] = self._file("\n".join(map(json.dumps, lines)).encode())

    def _file(self, content: bytes) -> str:
        name = f"file-{secrets.token_hex(8)}"
        self.files[name] = content
        return name

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/v1")
        self.seen.append((request.method, path))
        self.queries.append(request.query_string)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if (other := self.instead(request.method, path)) is not None:
            return other
        folder, *names = path.removeprefix("/messages").strip("/").split("/")
        anthropic = path.startswith("/messages")
        if folder == "files":
            return await self._files(request, names)
        if request.method == "POST" and not names:
            if self.refusing:
                error = {"message": "no", "type": "invalid_request_error"}
                return web.json_response({"error": error}, status=self.refusing)
            return web.json_response(self._create(await request.json(), anthropic=anthropic))
        batch = self.batches.get(names[0])
        if batch is None:
            return web.json_response({"error": {"message": "no such", "type": "not_found_error"}}, status=404)
        if names[1:] == ["results"]:
            return web.Response(body=self._results(names[0]), content_type="application/x-jsonl")
        if names[1:] == ["cancel"]:
            batch["status" if "status" in batch else "processing_status"] = "cancelling"
        if request.method == "DELETE":
            del self.batches[names[0]]
            return web.json_response({"id": names[0], "type": "message_batch_deleted"})
        return web.json_response(batch)

    async def _files(self, request: web.Request, names: list[str]) -> web.StreamResponse:
        if request.method == "POST":
            form = await request.post()
            upload = form["file"]
            assert isinstance(upload, web.FileField)
            names = [self._file(upload.file.read())]
        if names[0] not in self.files:
            return web.json_response({"error": {"message": "no such", "type": "invalid_request_error"}}, status=404)
        if names[1:] == ["content"]:
            if self.before_content is not None:
                await self.before_content()
            return web.Response(body=self.files[names[0]], content_type="application/octet-stream")
        if request.method == "DELETE":
            del self.files[names[0]]
            return web.json_response({"id": names[0], "object": "file", "deleted": True})
        size = len(self.files[names[0]])
        told = {"id": names[0], "object": "file", "bytes": size, "created_at": 1, "filename": "a.jsonl"}
        return web.json_response({**told, "purpose": "batch", "status": "processed"})

    def _create(self, asked: dict[str, Any], *, anthropic: bool) -> dict[str, Any]:
        name = f"{'msgbatch_' if anthropic else 'batch_'}{secrets.token_hex(8)}"
        made: dict[str, Any]
        if anthropic:
            self.requests[name] = asked["requests"]
            made = {
                "id": name,
                "type": "message_batch",
                "processing_status": "in_progress",
                "request_counts": {**COUNTS, "processing": len(asked["requests"])},
                "created_at": "2026-11-01T09:00:00Z",
                "expires_at": "2026-11-02T09:00:00Z",
                "ended_at": None,
                "archived_at": None,
                "cancel_initiated_at": None,
                "results_url": None,
            }
        else:
            lines = self.files[asked["input_file_id"]].splitlines()
            self.requests[name] = [json.loads(line) for line in lines]
            made = {
                "id": name,
                "object": "batch",
                "endpoint": asked["endpoint"],
                "input_file_id": asked["input_file_id"],
                "completion_window": asked["completion_window"],
                "status": "in_progress",
                "created_at": 1,
                "output_file_id": None,
                "error_file_id": None,
            }
        self.batches[name] = made
        return made

    def _results(self, name: str) -> bytes:
        lines = []
        read, written = self.tokens
        for request in self.requests[name]:
            message = {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": request["params"]["model"],
                "content": [{"type": "text", "text": "Well."}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": read, "output_tokens": written, "service_tier": "batch"},
            }
            bad = request["custom_id"].startswith("bad")
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}
            result = {"type": "errored", "error": error} if bad else {"type": "succeeded", "message": message}
            if not request["custom_id"].startswith("late"):
                lines.append(json.dumps({"custom_id": request["custom_id"], "result": result}))
        return "\n".join(lines).encode() + b"\n"


@asynccontextmanager
async def batch_lab() -> AsyncIterator[BatchLab]:
    lab = BatchLab()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", lab.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lab.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield lab
    finally:
        await runner.cleanup()
