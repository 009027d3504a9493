import asyncio
import gzip
import json
import time
import tracemalloc
from collections.abc import AsyncIterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.web.server import inflate, request_body

PATH = "/v1/chat/completions"
BODY = json.dumps({"model": "llama", "messages": [], "x": "y" * 500_000}).encode()
PRICED = json.dumps({"bands": [{"prices": {"input": "1", "output": "2"}}]})


async def in_parts(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [7_000, 300_000, 10**9])
async def test_request_body_in_any_parts_reaches_the_provider_unchanged(place: Any, size: int) -> None:
    place.upstream.answer = Exchange(b"{}")
    assert (await place.ask("POST", PATH, data=in_parts(BODY, size)))[0] == 200
    assert place.upstream.calls[0].body == BODY


class Content:
    """A stream reader's two methods, over pieces that are already here."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    async def readany(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def is_eof(self) -> bool:
        return False


@pytest.mark.parametrize("announced", [True, False])
async def test_large_request_body_is_read_without_a_second_copy(announced: bool) -> None:
    pieces = [bytes([number % 251]) * 65_536 for number in range(256)]
    size, expected = 65_536 * len(pieces), b"".join(pieces)
    request: Any = SimpleNamespace(content_length=size if announced else None, content=Content(pieces), headers={})
    tracemalloc.start()
    try:
        body = await request_body.read(request, 2 * size, 5)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(body) is bytes and body == expected
    assert peak_bytes < 1.3 * size


@pytest.mark.parametrize("data", [BODY, b"x" * 300_001, in_parts(BODY * 8, 10_000)])
async def test_request_body_above_the_size_limit_is_refused(opened: Any, data: Any) -> None:
    async with opened(max_body_bytes=300_000) as place:
        assert (await place.ask("POST", PATH, data=data))[0] == 413
        assert place.upstream.calls == []


async def test_compressed_request_body_reaches_the_provider_decompressed(place: Any) -> None:
    place.upstream.answer = Exchange(b"{}")
    packed = {"content-encoding": "gzip"}
    assert (await place.ask("POST", PATH, data=gzip.compress(BODY), headers=packed))[0] == 200
    assert place.upstream.calls[0].body == BODY
    assert "content-encoding" not in dict(place.upstream.calls[0].headers)


async def test_compressed_request_body_that_expands_above_the_limit_is_refused(opened: Any) -> None:
    async with opened(max_body_bytes=300_000) as place:
        bomb = gzip.compress(b"x" * 20_000_000)
        status, _, _ = await place.ask("POST", PATH, data=bomb, headers={"content-encoding": "gzip"})
        assert status == 413


async def test_request_body_with_a_wrong_content_encoding_is_refused_without_being_quoted(place: Any) -> None:
    status, _, body = await place.ask("POST", PATH, data=b"canary", headers={"content-encoding": "gzip"})
    assert status == 400 and "canary" not in json.dumps(body)


async def test_request_body_that_arrives_too_slowly_is_refused_after_the_timeout(opened: Any) -> None:
    async with opened(body_timeout_s=0.3) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: 999999\r\n\r\n{")

        async def trickle() -> None:
            while True:
                await asyncio.sleep(0.02)
                writer.write(b" ")

        task = asyncio.create_task(trickle())
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 408")
        task.cancel()
        writer.close()


async def test_request_body_that_never_arrives_is_refused_after_the_timeout(opened: Any) -> None:
    async with opened(body_timeout_s=0.05) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: 9\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


@cache
def bomb() -> bytes:
    """Some megabytes that take more than a second to decompress, and as long to make."""
    return gzip.compress(bytes(1_000_000_000), 1)


@pytest.mark.parametrize("path", [PATH, "/v1/messages/batches", "/v1/files", "/v1/wombat", "/healthz"])
async def test_compressed_body_of_a_stranger_is_not_decompressed_and_its_connection_ends(place: Any, path: str) -> None:
    """Even while the rest of the body is dropped, so that the client gets the answer."""
    packed = bomb()
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    began_s = time.process_time()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    writer.write(head.encode() + packed)
    answer = await reader.read()
    took_s = time.process_time() - began_s
    writer.close()
    assert answer.split(b" ")[1] in (b"400", b"401", b"404", b"405") and b"\r\nConnection: close" in answer
    assert took_s < 0.5


async def test_small_body_that_is_here_already_does_not_end_the_connection(place: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    for _ in range(2):
        writer.write(b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}" % PATH.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401") and b"Connection: close" not in head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    writer.close()


async def test_compressed_body_gives_others_turns_while_it_is_decompressed(opened: Any) -> None:
    async with opened(max_body_bytes=300_000_000) as place:
        place.upstream.answer = Exchange(b"{}")
        packed = gzip.compress(b'{"model":"llama","x":"' + bytes(b"y" * 100_000_000) + b'"}', 1)
        asked = asyncio.create_task(place.ask("POST", PATH, data=packed, headers={"content-encoding": "gzip"}))
        turns = 0
        while not place.upstream.calls and not asked.done():
            await asyncio.sleep(0)
            turns += 1
        assert (await asked)[0] == 200 and turns > 100


async def test_body_in_an_unknown_coding_is_refused_with_415(place: Any) -> None:
    status, headers, body = await place.ask("POST", PATH, data=b"x", headers={"content-encoding": "br"})
    assert (status, body["error"]["code"]) == (415, "unsupported_encoding")
    assert headers["accept-encoding"].startswith("gzip, deflate")


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        (PATH, "UPDATE wallets SET posted_pico = 0 WHERE user_id = 2", 429),
        ("/v1/messages/batches", "UPDATE wallets SET posted_pico = 0 WHERE user_id = 2", 429),
        ("/v1/files", "UPDATE wallets SET posted_pico = 0 WHERE user_id = 2", 429),
        (PATH, "UPDATE keys SET models = '[\"gpt-*\"]' WHERE id = 2", 404),
    ],
)
async def test_body_of_a_key_that_may_do_nothing_is_not_decompressed(
    place: Any, path: str, change: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.storage._database.transaction() as session:
        await session.run("INSERT INTO prices VALUES (2, 1, NULL, 'operator', ?, 2, 2, 0)", PRICED)
        await session.run(change)
    monkeypatch.setattr(inflate.Inflater, "feed", None)  # whoever calls it fails
    packed = gzip.compress(BODY)
    found, _, _ = await place.ask("POST", path, key="bob", data=packed, headers={"content-encoding": "gzip"})
    assert found == status
    assert place.upstream.calls == []
