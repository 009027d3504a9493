"""A realtime provider to test against, as a process of its own. What a response does is told in its `metadata`:

    usage=audio   tokens of sound, cached ones too        gate=1   begins, and goes on when cancelled, or the gate opens
    cut=1         drops the connection after a delta      fail=1   ends as failed, without usage
    refuse=1      an error in place of a response         done=1   closes the session afterwards

Each begins when it is asked for, or by itself when sound is committed, as it does after a pause.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import WSMsgType, web

TEXT = {
    "total_tokens": 150,
    "input_tokens": 100,
    "output_tokens": 50,
    "input_token_details": {"text_tokens": 100, "audio_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 50, "audio_tokens": 0},
}
AUDIO = {
    "total_tokens": 1500,
    "input_tokens": 1000,
    "output_tokens": 500,
    "input_token_details": {
        "text_tokens": 200,
        "audio_tokens": 800,
        "cached_tokens": 600,
        "cached_tokens_details": {"text_tokens": 100, "audio_tokens": 500},
    },
    "output_token_details": {"text_tokens": 100, "audio_tokens": 400},
}


class Server:
    def __init__(self) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.waiting = asyncio.Event()
        self.ended = asyncio.Event()
        self.gate = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        verb = request.path.removeprefix("/_control/")
        if verb == "sessions":
            return web.json_response(self.sessions)
        if verb == "open":
            self.gate.set()
        elif verb == "waiting":
            await self.waiting.wait()
        elif verb == "ended":
            await self.ended.wait()
        elif request.path == "/v1/realtime":
            return await self._session(request)
        return web.json_response({})

    async def _session(self, request: web.BaseRequest) -> web.StreamResponse:
        if "busy" in request.query.get("model", ""):
            return web.json_response({"error": {"message": "busy"}}, status=503)
        if "missing" in request.query.get("model", ""):
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        record: dict[str, Any] = {
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "model": request.query.get("model"),
            "events": [],
        }
        self.sessions.append(record)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await Talk(self, socket, request, record).run()
        self.ended.set()
        return socket


class Talk:
    def __init__(self, server: Server, socket: web.WebSocketResponse, request: web.BaseRequest, record: Any) -> None:
        self.server, self.socket, self.request, self.record = server, socket, request, record
        self.responses: dict[str, asyncio.Event] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.count = 0

    async def say(self, kind: str, **fields: Any) -> None:
        self.count += 1
        await self.socket.send_json({"type": kind, "event_id": f"event_{self.count}", **fields})

    async def run(self) -> None:
        session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": self.record["model"]}
        await self.say("session.created", session=session)
        async for message in self.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            self.record["events"].append(event["type"])
            kind = event["type"]
            if kind == "session.update":
                self.record["updated"] = event["session"]
                await self.say("session.updated", session={**session, **event["session"]})
            elif kind == "response.create":
                told = (event.get("response") or {}).get("metadata") or {}
                if "refuse" in told:
                    error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
                    about = event.get("event_id")
                    await self.say("error", error={**error, "message": "no", "param": None, "event_id": about})
                else:
                    self.begin(told)
            elif kind == "response.cancel":
                for each in self.responses.values():
                    each.set()
            elif kind == "input_audio_buffer.commit":
                self.begin({"usage": "audio"})
        for task in self.tasks:
            task.cancel()

    def begin(self, told: dict[str, str]) -> None:
        task = asyncio.get_running_loop().create_task(self.respond(told))
        self.tasks.add(task)

    async def respond(self, told: dict[str, str]) -> None:
        number = f"resp_{id(self):x}_{len(self.tasks)}"
        cancelled = self.responses[number] = asyncio.Event()
        response: dict[str, Any] = {"object": "realtime.response", "id": number, "output": []}
        await self.say("response.created", response={**response, "status": "in_progress"})
        part = {"response_id": number, "item_id": "item_1", "output_index": 0, "content_index": 0}
        await self.say("response.output_text.delta", delta="hello there, you", **part)
        status = "completed"
        if "cut" in told:
            assert self.request.transport is not None
            self.request.transport.abort()
            return
        if "gate" in told:
            self.server.waiting.set()
            waits = [asyncio.ensure_future(each.wait()) for each in (cancelled, self.server.gate)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            status = "cancelled" if cancelled.is_set() else status
        done: dict[str, Any] = {**response, "status": status, "usage": AUDIO if told.get("usage") == "audio" else TEXT}
        if "fail" in told:
            error = {"type": "server_error", "code": "server_error"}
            done |= {"status": "failed", "usage": None, "status_details": {"type": "failed", "error": error}}
        await self.say("response.done", response=done)
        if "done" in told:
            await self.socket.close(code=1001)


async def main() -> None:
    server = web.Server(Server().handle)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    listening.close()


if __name__ == "__main__":
    asyncio.run(main())
