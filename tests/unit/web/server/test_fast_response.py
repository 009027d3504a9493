from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import HttpVersion

from softix_proxy.web.server.fast_response import FastResponse


class Transport:
    def __init__(self, *, closing: bool = False) -> None:
        self.written: list[bytes] = []
        self.is_closing: Callable[[], bool] = lambda: closing
        self.write = self.written.append


def request(transport: Transport | None, minor: int = 1, *, keep_alive: bool = True) -> Any:
    return SimpleNamespace(version=HttpVersion(1, minor), keep_alive=keep_alive, transport=transport)


@pytest.mark.parametrize(
    ("minor", "keep_alive", "told"),
    [(1, True, b""), (1, False, b"connection: close"), (0, True, b"connection: keep-alive"), (0, False, b"")],
)
async def test_fast_response_prepared_twice_is_written_once_with_its_headers(
    minor: int, keep_alive: bool, told: bytes
) -> None:
    answer, transport = FastResponse(404, [("x-a", "é")], b"{}"), Transport()
    assert not answer.prepared
    await answer.prepare(request(transport, minor, keep_alive=keep_alive))
    await answer.prepare(request(transport, minor))
    await answer.write_eof()
    [sent] = transport.written
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.%d 404 Not Found" % minor and lines[1] == "x-a: é".encode()
    assert body == b"{}" and b"content-length: 2" in lines and sum(line.startswith(b"date: ") for line in lines) == 1
    assert [line for line in lines if line.startswith(b"connection")] == ([told] if told else [])
    assert answer.prepared and answer.keep_alive is keep_alive


async def test_fast_response_with_a_forced_close_closes_the_connection() -> None:
    answer, transport = FastResponse(200, [], b""), Transport()
    answer.force_close()
    await answer.prepare(request(transport))
    assert b"connection: close\r\n" in transport.written[0] and not answer.keep_alive


async def test_fast_response_with_a_large_body_writes_it_without_a_copy() -> None:
    body, transport = bytes(100_000), Transport()
    await FastResponse(200, [], body).prepare(request(transport))
    assert transport.written[1] is body


@pytest.mark.parametrize("transport", [None, Transport(closing=True)])
async def test_fast_response_to_a_disconnected_client_raises_an_error(transport: Transport | None) -> None:
    with pytest.raises(ConnectionResetError):
        await FastResponse(200, [], b"{}").prepare(request(transport))
