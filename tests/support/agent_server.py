"""A provider whose model works as agents' models do: it calls a tool once, and says that it is done when it is.

What it writes, and where, the prompt says: `proof=/some/path`. It takes whichever of the offered tools can do that, in
the dialects of chat, responses, messages and Gemini. A request without such a tool (titles, summaries) gets a text.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from softix_proxy.demo.answer import DemoError, DemoTurn, ServerSentEvent
from softix_proxy.demo.server import ENDPOINTS, decode, error_body, model_list
from softix_proxy.demo.text import NamedTool, Reply, count, pieces

PROOF = "written by a tool"
DONE = "The file is written, as you asked."
_PLACE = re.compile(rb"proof=(/[A-Za-z0-9._/-]+)")
_RESULTS = (b'"tool_result"', b'"function_call_output"', b'"role":"tool"', b'"role": "tool"', b'"functionResponse"')
_GEMINI = re.compile(r"/v1beta/models/([\w-]+):(generateContent|streamGenerateContent)")
_TOOLS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "Write": lambda place: {"file_path": place, "content": PROOF},
    "exec_command": lambda place: {"cmd": f"printf '{PROOF}' > {place}"},
    "shell": lambda place: {"command": ["sh", "-c", f"printf '{PROOF}' > {place}"]},
    "write_proof": lambda place: {"path": place, "content": PROOF},
}


class Gemini(msgspec.Struct, kw_only=True):
    """A call comes whole, in a chunk of its own, as Gemini sends it. Set from the path: model and streams."""

    contents: list[Any]
    systemInstruction: Any = None  # noqa: N815 - the wire's own names
    tools: list[Any] | None = None
    model: str = ""
    streams: bool = False

    @property
    def prompt(self) -> list[Any]:
        return [self.systemInstruction, self.contents, self.tools]

    def whole(self, turn: DemoTurn) -> dict[str, Any]:
        return self._chunk(turn, turn.reply.text, len(turn.reply.pieces), "STOP")

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]:
        if turn.reply.tool is not None:
            yield ServerSentEvent(self.whole(turn))
            return
        for number, piece in enumerate(turn.reply.pieces, 1):
            yield ServerSentEvent(
                self._chunk(turn, piece, number, "STOP" if number == len(turn.reply.pieces) else None)
            )

    def _chunk(self, turn: DemoTurn, text: str, spoken: int, finish: str | None) -> dict[str, Any]:
        tool = turn.reply.tool
        part = {"text": text} if tool is None else {"functionCall": {"name": tool.name, "args": json.loads(text)}}
        usage = {"promptTokenCount": turn.input_tokens, "candidatesTokenCount": spoken}
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0, "finishReason": finish}
        return {
            "candidates": [candidate],
            "usageMetadata": usage | {"totalTokenCount": sum(usage.values())},
            "modelVersion": self.model,
            "responseId": turn.id,
        }


def names_of(tools: Any) -> Iterator[str]:
    """However a dialect wraps them."""
    for entry in tools or ():
        declared = entry.get("functionDeclarations") or [entry.get("function") or entry]
        yield from (tool["name"] for tool in declared if "name" in tool)


def reply(body: bytes, offered: Any) -> Reply:
    names = set(names_of(offered))
    place = _PLACE.search(body)
    tool = next((name for name in _TOOLS if name in names), None)
    if tool is None or place is None or any(result in body for result in _RESULTS):
        return Reply(pieces(DONE), complete=True)
    return Reply(pieces(json.dumps(_TOOLS[tool](place[1].decode()))), complete=True, tool=NamedTool(tool, {}))


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    family: Any = "anthropic" if "messages" in request.path or "anthropic-version" in request.headers else "openai"
    named = _GEMINI.fullmatch(request.path)
    endpoint: Any = Gemini if named else ENDPOINTS.get(request.path)
    if endpoint is None:
        return web.json_response(model_list(family, ("agent-model",)))
    body = await request.read()
    try:
        asked: Any = decode(endpoint, body)
    except DemoError as refusal:
        return web.json_response(error_body(family, refusal), status=refusal.status)
    if named:
        asked.model, asked.streams = named[1], named[2].startswith("stream")
    turn = DemoTurn(
        secrets.token_hex(12), 1_767_225_600, count(asked.prompt), reply(body, getattr(asked, "tools", None))
    )
    if not asked.streams:
        return web.Response(body=msgspec.json.encode(asked.whole(turn)), content_type="application/json")
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for frame in asked.frames(turn):
        await response.write(frame.encode())
    await response.write_eof()
    return response


async def main() -> None:
    runner = web.ServerRunner(web.Server(handle, access_log=None))  # agents send more than aiohttp's App takes
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
