"""Bodies that are refused, or that come in absurdly many chunks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.web.server import aiohttp_internals

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: %b\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ASK = b'{"model":"llama","messages":[],"x":"%b"}'


def in_chunks(body: bytes, size: int) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Turns:
    """The longest turn of the event loop, in CPU seconds of its thread."""

    longest_s = 0.0


@asynccontextmanager
async def watched() -> AsyncIterator[Turns]:
    turns = Turns()

    async def watch() -> None:
        while True:
            began_s = time.thread_time()
            await asyncio.sleep(0)
            turns.longest_s = max(turns.longest_s, time.thread_time() - began_s)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch())
        yield turns
        task.cancel()


async def answer_of(place: Any, sent: bytes) -> tuple[int, bytes]:
    """Sends as fast as the server reads, and returns what it answers before it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    answered = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    try:
        async with asyncio.timeout(60):
            for start in range(0, len(sent), 1 << 20):
                writer.write(sent[start : start + (1 << 20)])
                await writer.drain()
    except ConnectionError:
        pass
    async with asyncio.timeout(60):
        head = await answered
    writer.close()
    return int(head.split()[1]), head


async def test_body_in_a_million_chunks_of_one_byte_is_refused_and_never_blocks_the_loop(place: Any) -> None:
    sent = CHUNKED % b"ada" + in_chunks(b" " * 1_000_000, 1)
    began_s = time.process_time()
    async with watched() as turns:
        status, head = await answer_of(place, sent)
    assert status == 400 and b"connection: close" in head.lower()
    assert turns.longest_s < 0.05, "the aim is 0.02, on a machine with nothing else to do"
    assert time.process_time() - began_s < 1
    assert place.upstream.calls == []


@pytest.mark.parametrize("size", [3, 5, 17])
async def test_body_in_small_chunks_reaches_the_provider_and_never_blocks_the_loop(place: Any, size: int) -> None:
    """As a program sends it that encodes JSON piece by piece."""
    place.upstream.answer = Exchange(b"{}")
    body = ASK % (b"a\n" * 200_000).replace(b"\n", b" ")
    async with watched() as turns:
        status, _ = await answer_of(place, CHUNKED % b"ada" + in_chunks(body, size))
    assert status == 200 and place.upstream.calls[0].body == body
    assert turns.longest_s < 0.05


async def test_body_with_many_short_lines_reaches_the_provider_unchanged(place: Any) -> None:
    place.upstream.answer = Exchange(b"{}")
    body = b'{"model":"llama","messages":[],"x":[' + b"\n1,\n2," * 100_000 + b"\n3]}"
    sent = HEAD % b"ada" + b"content-length: %d\r\n\r\n" % len(body) + body
    assert (await answer_of(place, sent))[0] == 200
    assert place.upstream.calls[0].body == body


async def test_chunks_of_a_stranger_are_not_parsed_after_the_refusal(place: Any) -> None:
    sent = CHUNKED % b"nobody" + in_chunks(b" " * 1_000_000, 1)
    began_s = time.process_time()
    async with watched() as turns:
        status, _ = await answer_of(place, sent)
    assert status == 401 and turns.longest_s < 0.05 and time.process_time() - began_s < 1


async def test_refused_body_is_cut_when_the_client_does_not_stop_sending(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp_internals, "_DISCARDED_BYTES", 4 << 20)
    _, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(HEAD % b"nobody" + b"content-length: %d\r\n\r\n" % (1 << 40))
    sent = 0
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(30):
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()
                sent += 1 << 16
    assert sent < 64 << 20


async def test_refused_body_is_cut_after_its_time(opened: Any) -> None:
    async with opened(body_timeout_s=0.05) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(HEAD % b"nobody" + b"content-length: 1000000\r\n\r\n")
        async with asyncio.timeout(20):
            answer = await reader.read()
            assert b" 401 " in answer and b"connection: close" in answer.lower()
            while place.server._connections.connections:
                await asyncio.sleep(0.005)
        writer.close()


async def test_refusal_of_a_body_that_is_still_sent_reaches_the_client(place: Any) -> None:
    sent = HEAD % b"nobody" + b"content-length: %d\r\n\r\n" % (8 << 20) + bytes(8 << 20)
    assert (await answer_of(place, sent))[0] == 401


async def test_refused_request_with_a_whole_body_keeps_the_connection(place: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    async with asyncio.timeout(10):
        for _ in range(3):
            writer.write(HEAD % b"nobody" + b"content-length: 2\r\n\r\n{}")
            assert b" 401 " in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}}")
    writer.close()
