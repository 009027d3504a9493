import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.web.server import request_body

PATH = "/v1/chat/completions"
BODY = json.dumps({"model": "llama", "messages": [], "x": "y" * 500_000}).encode()


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
