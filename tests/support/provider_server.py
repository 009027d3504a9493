"""A provider to test against, as a process of its own: it outlives the daemon, and keeps its own books.

It speaks the real dialects, and misbehaves on request. What it is told comes as directives, `name=value; name`, in the
header `x-fake`, in a script of what the next requests do, or in the model's name (`fake.status.500+canary.abc:rest`):

    status=429 retry-after=7     an error in the dialect's shape        canary=TEXT   a text in the answer
    gate=NAME                    waits until the gate is opened         gate-after=N  …but after N tokens of a stream
    stall                        never sends headers                    stall-after=N never goes on after N tokens
    cut-after=N                  resets the connection after N tokens   truncate      ends before the announced end
    error-after=N                an error event after N tokens          garbage       not JSON at all
    no-usage                     reports nothing                        tokens=IN,OUT what it reports
    cached=N                     so many of IN were cached (chat)
    chunks=N                     tokens of the answer                   slow=MS       a pause before each token
    split=BYTES                  a stream in pieces of this size        big=BYTES     a first token of this size
    headers                      cookies, account and limit headers, as real providers send them
    refuses=FIELD/FIELD          422 for a body that has one of these, which names the first

In a plain answer `cut-after` and `truncate` leave half of the body; `slow` pauses once. With `split`, N counts pieces.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import secrets
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web
from provider_books import Books, Directives, Record
from provider_dialects import find, gemini_error, is_gemini, read, usual

from softix_proxy.demo.answer import DemoError, DemoRequest, DemoTurn, ServerSentEvent
from softix_proxy.demo.server import model_list
from softix_proxy.demo.text import Reply

DEFAULT_CHUNKS = 8
SSE = "text/event-stream; charset=utf-8"
ACCOUNT_HEADERS = {
    "set-cookie": "__cf_bm=fake-session; path=/; HttpOnly",
    "openai-organization": "org-fake-account",
    "openai-project": "proj-fake-account",
    "anthropic-organization-id": "org-fake-account",
    "openai-processing-ms": "12",
    "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-remaining-requests": "4999",
    "anthropic-ratelimit-requests-limit": "4000",
    "strict-transport-security": "max-age=31536000",
    "server": "cloudflare",
}
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Server:
    def __init__(self) -> None:
        self.books = Books()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/_control/"):
            return await self._control(request)
        books = self.books
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers]
        peer = request.transport.get_extra_info("peername") if request.transport else None
        record = Record(len(books.records), request.method, request.path, request.query_string, pairs, str(peer))
        books.records.append(record)
        books.change()
        try:
            return await Exchange(request, books, record).run()
        except (asyncio.CancelledError, ConnectionResetError):
            record.hung_up, record.finished = True, False
            record.input_tokens = record.output_tokens = 0
            raise
        finally:
            books.change()

    async def _control(self, request: web.BaseRequest) -> web.StreamResponse:
        verb, *arguments = request.path.removeprefix("/_control/").split("/")
        books = self.books
        if verb == "requests":
            return as_json([asdict(record) for record in books.records])
        if verb == "totals":
            return as_json(books.totals())
        if verb == "reset":
            books.close()
            self.books = Books()
        elif verb == "open":
            books.gate(arguments[0]).set()
        elif verb == "waiting":
            name, number = arguments[0], int(arguments[1])
            await books.until(lambda: books.waiting.get(name, 0) >= number)
        elif verb == "until":
            what, number = arguments[0], int(arguments[1])
            await books.until(lambda: books.totals()[what] >= number)
        elif verb == "script":
            books.script.extend(msgspec.json.decode(await request.read(), type=list[str]))
        else:
            return as_json({"error": "no such control"}, 404)
        return as_json(books.totals())


class Exchange:
    """One request and what becomes of it."""

    def __init__(self, request: web.BaseRequest, books: Books, record: Record) -> None:
        self.request, self.books, self.record = request, books, record
        self.path = usual(request.path)
        self.gemini = is_gemini(self.path)
        self.anthropic = request.path.startswith("/v1/messages") or "anthropic-version" in request.headers
        self.told = Directives()

    async def run(self) -> web.StreamResponse:
        body = await self._read()
        endpoint = find(self.path)
        if endpoint is None or self.request.method != "POST":
            if self.path == "/v1/models":
                return await self._send_json(model_list(self._family, ("gpt-test", "claude-test")))
            return await self._send_error(404)
        self.record.metered = not self.request.path.endswith(("/count_tokens", "/input_tokens", ":countTokens"))
        try:
            asked = read(endpoint, self.path, self.request.query_string, body)
        except DemoError:
            return await self._send_error(400)
        self._tell(asked)
        if "gate" in self.told and "gate-after" not in self.told:
            await self.books.pass_gate(self.told["gate"])
        if "stall" in self.told:
            await asyncio.Event().wait()
        if refused := [name for name in self.told.get("refuses", "").split("/") if name and name in members(body)]:
            return await self._send_json(_extra_forbidden(refused[0]), 422)
        if "status" in self.told:
            return await self._send_error(int(self.told["status"]))
        return await self._answer(asked)

    @property
    def _family(self) -> Any:
        return "anthropic" if self.anthropic else "openai"

    async def _read(self) -> bytes:
        digest, parts = hashlib.sha256(), []
        async for part in self.request.content.iter_any():
            digest.update(part)
            parts.append(part)
        body = b"".join(parts)
        self.record.body_sha256, self.record.body_bytes = digest.hexdigest(), len(body)
        if self.request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return body if len(parts) else b""

    def _tell(self, asked: DemoRequest) -> None:
        script = self.books.script.popleft() if self.record.metered and self.books.script else ""
        header = self.request.headers.get("x-fake", "")
        self.told = Directives(Directives.of_model(asked.model) | Directives.parse(script) | Directives.parse(header))
        self.record.directives = dict(self.told)
        fields = {name: getattr(asked, name) for name in asked.__struct_fields__}  # type: ignore[attr-defined]
        plain = msgspec.to_builtins(fields)
        self.record.fields = {
            name: value
            for name, value in plain.items()
            if value is not None and not isinstance(value, list) and not (isinstance(value, str) and len(value) > 100)
        }

    async def _answer(self, asked: DemoRequest) -> web.StreamResponse:
        if "garbage" in self.told:
            kind = "text/event-stream" if asked.streams else "application/json"
            return await self._send(b"data: \xff{not json " + self._canary.encode() + b"\n\n", kind)
        turn = DemoTurn(secrets.token_hex(12), 1_767_225_600, words(asked.prompt), self._reply(asked))
        spoken = len(turn.reply.pieces) * asked.choices
        totals = tuple(map(int, self.told["tokens"].split(","))) if "tokens" in self.told else None
        self._report = totals or (turn.input_tokens, spoken)
        if asked.streams:
            return await self._stream(asked.frames(turn), getattr(asked, "stream_kind", SSE))
        if slow := self.told.number("slow"):
            await asyncio.sleep(slow / 1000)
        body = msgspec.json.encode(self._reported(asked.whole(turn)))
        self.record.sent_tokens = spoken
        if "cut-after" in self.told or "truncate" in self.told:
            return await self._break(body)
        self._finish()
        return await self._send(body)

    @property
    def _canary(self) -> str:
        return self.told.get("canary", "")

    def _reply(self, asked: DemoRequest) -> Reply:
        tool = asked.tool
        if tool is not None:
            return Reply(('{"city"', ":", '"here"', "}"), True, tool)
        wanted = self.told.number("chunks") or DEFAULT_CHUNKS
        number = wanted if asked.limit is None else min(wanted, asked.limit)
        pieces = [f" word{index}" for index in range(number)]
        pieces[0] = f"{self._canary}{'x' * (self.told.number('big') or 0)}word0"
        return Reply(tuple(pieces), number == wanted)

    def _reported(self, data: Any) -> Any:
        """The usage as told: left out, or with other numbers."""
        if not isinstance(data, dict):
            return data
        for place in (data, data.get("response"), data.get("message")):
            if not isinstance(place, dict) or not isinstance(usage := place.get("usage"), dict):
                continue
            if "no-usage" in self.told:
                del place["usage"]
            elif "tokens" in self.told:
                read, spoken = self._report
                told = {"prompt_tokens": read, "input_tokens": read, "total_tokens": read + spoken}
                told |= {name: spoken for name in ("completion_tokens", "output_tokens") if usage.get(name)}
                usage.update({name: value for name, value in told.items() if name in usage})
                if (cached := self.told.number("cached")) and "prompt_tokens_details" in usage:
                    usage["prompt_tokens_details"] = {"cached_tokens": cached}
        return data

    def _finish(self) -> None:
        """Booked just before the last byte leaves, so that whoever has the answer finds it in the books."""
        self.record.finished = True
        self.record.input_tokens, self.record.output_tokens = self._report

    def _units(self, frames: Iterator[ServerSentEvent]) -> Iterator[tuple[bytes, int]]:
        """What is written at once, and for how many tokens it counts."""
        shown = (
            frame
            for frame in frames
            if "no-usage" not in self.told or not isinstance(frame.data, dict) or frame.data.get("choices") != []
        )
        encoded = ((frame._replace(data=self._reported(frame.data)).encode(), frame.tokens) for frame in shown)
        size = self.told.number("split")
        if not size:
            yield from encoded
            return
        whole = b"".join(data for data, _ in encoded)
        for start in range(0, len(whole), size):
            yield whole[start : start + size], 1

    async def _stream(self, frames: Iterator[ServerSentEvent], kind: str) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers(kind))
        self.record.status = 200
        await response.prepare(self.request)
        for data, tokens in self._units(frames):
            if tokens and await self._interrupt(response):
                return response
            await response.write(data)
            self.record.sent_tokens += tokens
        if "truncate" in self.told:
            self._transport.close()
            return response
        self._finish()
        await response.write_eof()
        return response

    async def _interrupt(self, response: web.StreamResponse) -> bool:
        """What happens before a token; True where nothing follows."""
        sent = self.record.sent_tokens
        if slow := self.told.number("slow"):
            await asyncio.sleep(slow / 1000)
        if self.told.number("gate-after") == sent:
            await self.books.pass_gate(self.told["gate"])
        if self.told.number("stall-after") == sent:
            await asyncio.Event().wait()
        if self.told.number("error-after") == sent:
            await response.write(ServerSentEvent(self._error(529), "error" if self.anthropic else None).encode())
            await response.write_eof()
            return True
        if self.told.number("cut-after") == sent:
            self._reset()
            return True
        return False

    @property
    def _transport(self) -> asyncio.Transport:
        if self.request.transport is None:
            raise ConnectionResetError
        return self.request.transport  # type: ignore[return-value]

    def _reset(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    async def _break(self, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers("application/json") | {"content-length": str(len(body))})
        self.record.status = 200
        await response.prepare(self.request)
        await response.write(body[: len(body) // 2])
        if "cut-after" in self.told:
            self._reset()
        else:
            self._transport.close()
        return response

    def _headers(self, kind: str) -> dict[str, str]:
        name = "request-id" if self.anthropic else "x-request-id"
        more = ACCOUNT_HEADERS if "headers" in self.told else {}
        return {"content-type": kind, name: f"req_fake{self.record.number}", **more}

    def _error(self, status: int) -> dict[str, Any]:
        kind = ERRORS.get(status, "api_error" if self.anthropic else "server_error")
        error: dict[str, Any] = {"type": kind, "message": f"The provider refuses. {self._canary}".strip()}
        if self.gemini:
            return gemini_error(status, error["message"])
        if self.anthropic:
            return {"type": "error", "error": error, "request_id": f"req_fake{self.record.number}"}
        return {"error": {**error, "param": None, "code": "rate_limit_exceeded" if status == 429 else None}}

    async def _send_error(self, status: int) -> web.StreamResponse:
        wait = self.told.get("retry-after", "1" if status in (429, 529) else "")
        return await self._send_json(self._error(status), status, {"retry-after": wait} if wait else {})

    async def _send_json(self, body: Any, status: int = 200, more: dict[str, str] | None = None) -> web.StreamResponse:
        return await self._send(msgspec.json.encode(body), "application/json", status, more)

    async def _send(
        self, body: bytes, kind: str = "application/json", status: int = 200, more: dict[str, str] | None = None
    ) -> web.StreamResponse:
        self.record.status = status
        response = web.Response(body=body, status=status, headers=self._headers(kind) | (more or {}))
        await response.prepare(self.request)
        await response.write_eof()
        return response


def members(body: bytes) -> frozenset[str]:
    try:
        return frozenset(json.loads(body))
    except (ValueError, TypeError):
        return frozenset()


def _extra_forbidden(name: str) -> dict[str, Any]:
    """As servers refuse a field that are made with pydantic."""
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]}


def words(value: Any) -> int:
    """The fake's own tokens: words of all text, and numbers in lists."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, dict):
        return sum(words(item) for item in value.values())
    if isinstance(value, list):
        return sum(1 if isinstance(item, int) else words(item) for item in value)
    return 0


def as_json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def serve() -> None:
    """Tells its URL in one line on standard output; ends when standard input does, so that it outlives nobody."""
    options: dict[str, Any] = {"handler_cancellation": True, "auto_decompress": False}
    runner = web.ServerRunner(web.Server(Server().handle, **options), access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await runner.cleanup()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())
