"""A realtime session without sockets: two ends whose messages are put in and read by the test."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from support.playbook import KEY_TEXT, NOW_US, Stage

from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.relay.core.inbound import ClientGoneError, Inbound
from softix_proxy.relay.realtime.sessions import Sessions

TEXT = {"input_tokens": 100, "output_tokens": 50}
DONE = {"status": "completed", "usage": TEXT}


class End:
    """What is put in comes out of `receive`; what is sent is in `sent`."""

    def __init__(self, story: list[str] | None = None) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.story = [] if story is None else story
        """The types of what was sent, at the moment when it was, among what else is written down there."""

    def put(self, kind: str, **fields: Any) -> None:
        self.inbox.put_nowait(json.dumps({"type": kind, **fields}).encode())

    async def send(self, message: bytes) -> None:
        event = json.loads(message)
        self.story.append(event["type"])
        self.outbox.put_nowait(event)

    async def told(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return await self.outbox.get()


class Line(End):
    secret: str | None = None
    close_code: int | None = None
    aborted = False

    async def receive(self) -> bytes | None:
        found = await self.inbox.get()
        if isinstance(found, Exception):
            raise found
        message: bytes | None = found
        return message

    def abort(self) -> None:
        self.aborted = True

    def begins(self, number: str) -> None:
        self.put("response.created", response={"id": number})

    def ends(self, number: str, **fields: Any) -> None:
        self.put("response.done", response={"id": number, **DONE, **fields})


class Guest(End):
    accepted = False
    closed: int | None = None

    async def accept(self) -> None:
        self.accepted = True

    async def receive(self) -> bytes:
        found = await self.inbox.get()
        if isinstance(found, Exception):
            raise found
        message: bytes = found
        return message

    async def close(self, code: int) -> None:
        self.closed = code

    def leave(self) -> None:
        self.inbox.put_nowait(ClientGoneError())


class Lines:
    def __init__(self, *answers: Line | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[UpstreamRequest] = []

    async def open(self, call: UpstreamRequest) -> Line:
        self.calls.append(call)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Talking(Stage):
    """One session, and everything around it; `run` is to be awaited beside what the ends do."""

    def __init__(self, *answers: Line | Exception, **world: Any) -> None:
        super().__init__(**world)
        self.line, self.guest = Line(), Guest(self.journal.story)
        self.lines = Lines(*(answers or (self.line,)))
        self.sessions = Sessions(self.lifecycle, self.lines, RequestIds(3))

    async def run(self, model: str = "llama") -> Code | None:
        async def fields() -> bytes:
            return json.dumps({"model": model}).encode()

        self.sessions.lifecycle = self.lifecycle
        headers = [
            ("openai-beta", "realtime=v1"),
            ("x-thing", "1"),
            ("origin", "https://page.example"),
            ("authorization", f"Bearer {KEY_TEXT}"),
        ]
        request = Inbound(5, "req_5", REALTIME, REALTIME.path, headers, KEY_TEXT, "10.1.2.3", NOW_US, 0, fields)
        async with asyncio.timeout(10):
            return await self.sessions.serve(request, self.guest)

    async def refused_session(self) -> RefusedError:
        try:
            await self.run()
        except RefusedError as error:
            return error
        raise AssertionError("it was not refused")

    def settled(self) -> list[tuple[str, int, str | None]]:
        """Source, tokens and error of each, once each; nothing is open any more."""
        settlements = self.journal.settlements
        assert len({each.intent.request_id for each in settlements}) == len(settlements)
        assert self.telemetry.open == 0 and self.telemetry.held_pico == 0
        return [(each.source.value, each.tokens_used, each.error) for each in settlements]
