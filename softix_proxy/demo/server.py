"""A local HTTP server that responds as OpenAI and Anthropic do, with the demo models. It stores nothing."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from softix_proxy.demo import anthropic, openai, responses, text
from softix_proxy.demo.answer import DemoError, DemoFamily, DemoRequest, DemoTurn, ServerSentEvent
from softix_proxy.demo.models import BY_NAME
from softix_proxy.domain.core.clock import SECOND_US, Clock, SystemClock, format_instant

ENDPOINTS: Mapping[str, type[DemoRequest]] = {
    "/v1/chat/completions": openai.Chat,
    "/v1/completions": openai.Completions,
    "/v1/embeddings": openai.Embeddings,
    "/v1/responses": responses.Responses,
    "/v1/messages": anthropic.Messages,
    "/v1/messages/count_tokens": anthropic.CountTokens,
}
_STOP_S = 1
_SILENT = logging.getLogger(f"{__name__}.wire")
_SILENT.disabled = True  # aiohttp would log the raw bytes of a request that it cannot parse
_EPOCH_S = 1_767_225_600  # the demo models were created on 2026-01-01
_ERROR_TYPES: Mapping[DemoFamily, Mapping[int, str]] = {
    "openai": {},
    "anthropic": {404: "not_found_error", 413: "request_too_large"},
}


@dataclass(frozen=True, slots=True)
class DemoServer:
    base_url: str
    """The URL without `/v1`, as a provider's base URL is stored."""
    runner: web.ServerRunner

    async def close(self) -> None:
        """Stops the server. Running responses have one second to end."""
        await self.runner.cleanup()


async def start(*, tokens_per_s: float = 50, host: str = "127.0.0.1", port: int = 0) -> DemoServer:
    """Starts the server and returns when it listens. Port 0 takes a free port. Raises OSError if the port is taken."""
    handler = _Handler(1 / tokens_per_s, SystemClock())
    server = web.Server(handler.handle, logger=_SILENT, access_log=None)
    runner = web.ServerRunner(server, access_log=None, handle_signals=False, shutdown_timeout=_STOP_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    return DemoServer(f"http://{f'[{host}]' if ':' in host else host}:{address[1]}", runner)


class _Handler:
    def __init__(self, token_s: float, clock: Clock) -> None:
        self._token_s = token_s
        self._clock = clock

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        family: DemoFamily = "openai"
        if request.path.startswith("/v1/messages") or "anthropic-version" in request.headers:
            family = "anthropic"
        headers = {"request-id" if family == "anthropic" else "x-request-id": f"req_{secrets.token_hex(12)}"}
        try:
            return await self._answer(request, family, headers)
        except DemoError as refusal:
            return _json(error_body(family, refusal), headers, refusal.status)

    async def _answer(
        self, request: web.BaseRequest, family: DemoFamily, headers: dict[str, str]
    ) -> web.StreamResponse:
        endpoint = ENDPOINTS.get(request.path)
        if request.path == "/v1/models" and request.method in ("GET", "HEAD"):
            return _json(model_list(family, tuple(BY_NAME)), headers)
        if endpoint is None:
            raise DemoError(404, "The demo has no such path.", "unknown_url")
        if request.method != "POST":
            raise DemoError(405, "This path takes POST only.", "method_not_supported")
        asked = decode(endpoint, await _body(request))
        turn = self._turn(asked)
        if asked.streams:
            return await self._stream(request, asked.frames(turn), headers)
        await asyncio.sleep(self._token_s * len(turn.reply.pieces) if asked.choices else 0)
        return _json(asked.whole(turn), headers)

    def _turn(self, asked: DemoRequest) -> DemoTurn:
        model = BY_NAME.get(asked.model)
        if model is None:
            raise DemoError(404, f"There is no such model here, only: {', '.join(BY_NAME)}.", "model_not_found")
        context, most = model.context or 0, model.max_output or 0
        input_tokens = text.count(asked.prompt)
        if input_tokens > context:
            raise DemoError(400, f"The prompt is longer than {context} tokens.", "context_length_exceeded")
        reply = text.compose(min(asked.limit or most, most), asked.tool)
        return DemoTurn(secrets.token_hex(12), self._clock.now_us() // SECOND_US, input_tokens, reply)

    async def _stream(
        self, request: web.BaseRequest, frames: Iterator[ServerSentEvent], headers: dict[str, str]
    ) -> web.StreamResponse:
        stream = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        response = web.StreamResponse(headers=headers | stream)
        try:
            await response.prepare(request)
            for frame in frames:
                if frame.tokens:
                    await asyncio.sleep(self._token_s * frame.tokens)
                await response.write(frame.encode())
            await response.write_eof()
        except ConnectionResetError:
            pass  # the client disconnected, which ends the work
        return response


async def _body(request: web.BaseRequest) -> bytes:
    """Reads the body.

    Raises DemoError for more than aiohttp's own limit (1 MiB), which is beyond the context anyway.
    """
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise DemoError(413, "The request is longer than the demo takes.", "request_too_large") from None


def decode(endpoint: type[DemoRequest], body: bytes) -> DemoRequest:
    """Decodes the body. Raises DemoError, which quotes nothing."""
    try:
        return msgspec.json.decode(body, type=endpoint)
    except msgspec.ValidationError:
        raise DemoError(400, "A field is missing, or not of the right type.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DemoError(400, "The body is not JSON.") from None


def error_body(family: DemoFamily, refusal: DemoError) -> dict[str, Any]:
    """Returns the error in the dialect's shape."""
    kind = _ERROR_TYPES[family].get(refusal.status, "invalid_request_error")
    if family == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": refusal.message}}
    return {"error": {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}}


def model_list(family: DemoFamily, names: tuple[str, ...]) -> dict[str, Any]:
    if family == "openai":
        one = {"object": "model", "created": _EPOCH_S, "owned_by": "softix"}
        return {"object": "list", "data": [{"id": name, **one} for name in names]}
    created_at = format_instant(_EPOCH_S * SECOND_US)
    data = [{"type": "model", "id": name, "display_name": name, "created_at": created_at} for name in names]
    return {"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def _json(body: dict[str, Any], headers: Mapping[str, str], status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json")
