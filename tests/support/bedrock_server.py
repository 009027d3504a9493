"""A provider that speaks as Bedrock does: Converse, and InvokeModel for Claude, plain and in AWS's frames.

A model named `…throttled…` refuses; one named `…gated…` waits within its stream until `/open` is asked for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from frames import chunk, event

USAGE = {"inputTokens": 30, "outputTokens": 12, "totalTokens": 142, "cacheReadInputTokens": 100}
CLAUDES = {"input_tokens": 30, "output_tokens": 12, "cache_read_input_tokens": 100}
CALL = {"toolUseId": "tooluse_1", "name": "weather"}
WORDS = ["Hello", " from", " here."]


class Server:
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.gate = asyncio.Event()
        self.finished = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/seen":
            return web.json_response(self.seen)
        if request.path == "/open":
            self.gate.set()
            await self.finished.wait()
            return web.json_response({})
        _, _, model, verb = request.raw_path.split("/")
        body = json.loads(await request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append({"model": model, "verb": verb, "body": body, "bearer": headers.get("authorization")})
        if "throttled" in model:
            told = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"}
            return web.json_response({"message": "Too many requests."}, status=429, headers=told)
        if verb == "converse":
            return web.json_response(converse(body))
        if verb == "invoke":
            return web.json_response(message(body))
        frames = converse_stream(body) if verb == "converse-stream" else invoke_stream(body)
        return await self._stream(request, frames, gated="gated" in unquote(model))

    async def _stream(self, request: web.BaseRequest, frames: list[bytes], *, gated: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        for number, frame in enumerate(frames):
            if gated and number == 3:
                await self.gate.wait()
            await response.write(frame[:7])
            await response.write(frame[7:])
        await response.write_eof()
        self.finished.set()
        return response


def converse(body: dict[str, Any]) -> dict[str, Any]:
    tools = "toolConfig" in body
    content: Any = {"toolUse": {**CALL, "input": {"city": "here"}}} if tools else {"text": "".join(WORDS)}
    answer = {"output": {"message": {"role": "assistant", "content": [content]}}, "usage": USAGE}
    return {**answer, "stopReason": "tool_use" if tools else "end_turn", "metrics": {"latencyMs": 1}}


def converse_stream(body: dict[str, Any]) -> list[bytes]:
    tools, at = "toolConfig" in body, {"contentBlockIndex": 0}
    begun = [event("contentBlockStart", {**at, "start": {"toolUse": CALL}})] if tools else []
    pieces: list[Any] = [{"toolUse": {"input": part}} for part in ('{"city"', ':"here"}')]
    pieces = pieces if tools else [{"text": word} for word in WORDS]
    return [
        event("messageStart", {"role": "assistant"}),
        *begun,
        *[event("contentBlockDelta", {**at, "delta": piece}) for piece in pieces],
        event("contentBlockStop", at),
        event("messageStop", {"stopReason": "tool_use" if tools else "end_turn"}),
        event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
    ]


def message(body: dict[str, Any]) -> dict[str, Any]:
    block: Any = {"type": "text", "text": "".join(WORDS)}
    if "tools" in body:
        block = {"type": "tool_use", "id": "toolu_bdrk_1", "name": "weather", "input": {"city": "here"}}
    stop = "tool_use" if "tools" in body else "end_turn"
    head = {"id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": "claude-x"}
    return {**head, "content": [block], "stop_reason": stop, "stop_sequence": None, "usage": CLAUDES}


def invoke_stream(body: dict[str, Any]) -> list[bytes]:
    whole = message(body)
    (block,) = whole["content"]
    begun = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
    deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    if block["type"] == "tool_use":
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ('{"city"', ':"here"}')]
    start = {**whole, "content": [], "stop_reason": None, "usage": {**CLAUDES, "output_tokens": 1}}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    return [
        chunk({"type": "message_start", "message": start}),
        chunk({"type": "content_block_start", "index": 0, "content_block": begun}),
        *[chunk({"type": "content_block_delta", "index": 0, "delta": delta}) for delta in deltas],
        chunk({"type": "content_block_stop", "index": 0}),
        chunk({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 12}}),
        chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 30}}),
    ]


async def serve() -> None:
    """Tells its URL in one line on standard output; ends when standard input does, so that it outlives nobody."""
    runner = web.ServerRunner(web.Server(Server().handle), access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
