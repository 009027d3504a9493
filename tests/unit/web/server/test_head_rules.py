from __future__ import annotations

import asyncio
from typing import Any

import pytest

ASK = b'{"model":"llama","messages":[]}'
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


async def told(place: Any, sent: bytes) -> tuple[int, bytes, bool]:
    """The status, the whole of what came, and whether the server closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(sent)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(size)
        status = int(head.split()[1])
        closed = b"connection: close" in head.lower() or head.startswith(b"HTTP/1.0")
        if closed:
            assert await reader.read() == b""
    writer.close()
    return status, head + body, closed


def post(*lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"POST /v1/chat/completions " + version, b"x-api-key: nobody", *lines, b"", b""])


REFUSED = {
    "identity before chunked": (post(b"host: x", b"transfer-encoding: identity, chunked") + CHUNKS, 400),
    "identity alone": (post(b"host: x", b"transfer-encoding: identity"), 400),
    "an empty coding before chunked": (post(b"host: x", b"transfer-encoding: ,chunked") + CHUNKS, 400),
    "an empty coding after chunked": (post(b"host: x", b"transfer-encoding: chunked,") + CHUNKS, 400),
    "gzip before chunked": (post(b"host: x", b"transfer-encoding: gzip, chunked") + CHUNKS, 400),
    "chunked twice": (post(b"host: x", b"transfer-encoding: chunked, chunked") + CHUNKS, 400),
    "chunked in two headers": (
        post(b"host: x", b"transfer-encoding: chunked", b"transfer-encoding: chunked") + CHUNKS,
        400,
    ),
    "chunked with a parameter": (post(b"host: x", b"transfer-encoding: chunked;a=b") + CHUNKS, 400),
    "chunked and a length": (post(b"host: x", b"transfer-encoding: chunked", b"content-length: 5") + CHUNKS, 400),
    "HTTP/1.0 with chunked": (post(b"host: x", b"transfer-encoding: chunked", version=b"HTTP/1.0") + CHUNKS, 400),
    "two lengths": (post(b"host: x", b"content-length: 2", b"content-length: 3") + b"{}", 400),
    "a length with a sign": (post(b"host: x", b"content-length: +2") + b"{}", 400),
    "HTTP/0.9": (b"GET /healthz HTTP/0.9\r\nhost: x\r\n\r\n", 505),
    "HTTP/2.0": (b"GET /healthz HTTP/2.0\r\nhost: x\r\n\r\n", 505),
    "HTTP/1.2": (b"GET /healthz HTTP/1.2\r\nhost: x\r\n\r\n", 400),
    "two spaces before the target": (b"GET  /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "two spaces after the target": (b"GET /healthz  HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "a space after the version": (b"GET /healthz HTTP/1.1 \r\nhost: x\r\n\r\n", 400),
    "a tab before the target": (b"GET\t/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "no version": (b"GET /healthz\r\n\r\n", 505),
    "no Host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET /healthz HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", 400),
    "an empty Host": (b"GET /healthz HTTP/1.1\r\nhost:\r\n\r\n", 400),
    "a Host with a user": (b"GET /healthz HTTP/1.1\r\nhost: a@x\r\n\r\n", 400),
    "a Host with a path": (b"GET /healthz HTTP/1.1\r\nhost: x/y\r\n\r\n", 400),
    "a Host with a space": (b"GET /healthz HTTP/1.1\r\nhost: x y\r\n\r\n", 400),
    "a Host with a comma": (b"GET /healthz HTTP/1.1\r\nhost: x, y\r\n\r\n", 400),
    "a Host with a percent": (b"GET /healthz HTTP/1.1\r\nhost: %78\r\n\r\n", 400),
    "a Host with a letter that is not ASCII": ("GET /healthz HTTP/1.1\r\nhost: xö\r\n\r\n".encode(), 400),
    "a Host with two ports": (b"GET /healthz HTTP/1.1\r\nhost: x:1:2\r\n\r\n", 400),
    "a Host with a word as its port": (b"GET /healthz HTTP/1.1\r\nhost: x:http\r\n\r\n", 400),
    "a Host in open brackets": (b"GET /healthz HTTP/1.1\r\nhost: [::1\r\n\r\n", 400),
    "a Host of 300 letters": (b"GET /healthz HTTP/1.1\r\nhost: %b\r\n\r\n" % (b"x" * 300), 400),
    "a URL of another host": (b"GET http://y/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "a URL of another port": (b"GET http://x:81/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "a URL with a user": (b"GET http://a@x/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "a URL of another scheme": (b"GET ftp://x/healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "a URL without a Host": (b"GET http://x/healthz HTTP/1.0\r\n\r\n", 400),
    "a tunnel": (b"CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_head_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed(place: Any, name: str) -> None:
    sent, status = REFUSED[name]
    found, whole, closed = await told(place, sent)
    assert (found, closed) == (status, True), whole
    assert b'"message": "' in whole and b"x-softix-request-id: req_" in whole


@pytest.mark.parametrize("name", REFUSED)
async def test_head_that_is_refused_is_refused_in_parts_too(place: Any, name: str) -> None:
    sent, status = REFUSED[name]
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    for start in range(0, len(sent), 7):
        writer.write(sent[start : start + 7])
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert int(answer.split()[1]) == status
    writer.close()


PASSED = {
    "a name": b"GET /healthz HTTP/1.1\r\nhost: softix.example.org\r\n\r\n",
    "a name with a port": b"GET /healthz HTTP/1.1\r\nHost: Softix.Example.org:8484\r\n\r\n",
    "a name with an underscore": b"GET /healthz HTTP/1.1\r\nhost: softix_proxy:8484\r\n\r\n",
    "an IPv4 address": b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:8484\r\n\r\n",
    "an IPv6 address": b"GET /healthz HTTP/1.1\r\nhost: [::1]:8484\r\n\r\n",
    "blanks around the Host": b"GET /healthz HTTP/1.1\r\nhost:   x  \r\n\r\n",
    "an empty line before": b"\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    "a URL of this host": b"GET http://X/healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with a Host": b"GET /healthz HTTP/1.0\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", PASSED)
@pytest.mark.parametrize("size", [1000, 1])
async def test_head_of_an_honest_client_passes_whole_and_in_parts(place: Any, name: str, size: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    for start in range(0, len(PASSED[name]), size):
        writer.write(PASSED[name][start : start + size])
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"}")
    assert answer.split()[1] == b"200"
    writer.close()


async def test_chunked_body_in_any_case_passes(place: Any) -> None:
    head = post(b"host: x", b"Transfer-Encoding: Chunked")
    status, whole, _ = await told(place, head + CHUNKS)
    assert status == 401, whole


async def test_pipelined_requests_are_answered_up_to_the_one_that_is_refused(place: Any) -> None:
    good = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(good + good)
    async with asyncio.timeout(10):
        for _ in range(2):
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(post(b"host: x", b"content-length: 2") + b"{}" + good)
        assert (await reader.readuntil(b"}}")).startswith(b"HTTP/1.1 401")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(good + good.replace(b" /", b"  /") + good)
        answers = await reader.read()
    assert answers.count(b"HTTP/1.1 200") == 1 and answers.count(b"200 OK") == 1
    writer.close()


async def test_head_that_comes_in_parts_is_refused_above_the_size_limit(place: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
    async with asyncio.timeout(10):
        for number in range(12):
            writer.write(b"x-%d: %b\r\n" % (number, b"y" * 8000))
            await writer.drain()
        answer = await reader.read()
    assert answer.split()[1] == b"431"
    writer.close()
