from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.certificates import write_pair

from softix_proxy.web.server.client_address import ClientAddresses
from softix_proxy.web.server.tls import Certificate

HEALTHZ = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a TLS handshake that never goes on."""
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(place: Any, source: str = "127.0.0.1", **options: Any) -> Line:
    return await asyncio.open_connection("127.0.0.1", place.port, local_addr=(source, 0), **options)


async def healthy(line: Line) -> bool:
    """Whether a request over this connection is answered."""
    reader, writer = line
    try:
        async with asyncio.timeout(10):
            writer.write(HEALTHZ)
            return (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
    except (ConnectionError, asyncio.IncompleteReadError):
        return False


async def ended(line: Line) -> bool:
    try:
        async with asyncio.timeout(10):
            return await line[0].read() == b""
    except ConnectionError:
        return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def table(place: Any) -> Any:
    return place.server._connections.table


async def test_thousands_of_idle_connections_from_one_address_leave_room_for_a_paying_user(opened: Any) -> None:
    """More than there are places, and the user's own connection stays open and is answered."""
    async with opened(max_connections=64) as place:
        user = await connect(place, "127.0.0.2")
        assert await healthy(user)
        attack = [await connect(place) for _ in range(400)]
        await until(lambda: len(table(place)) == 57)
        for _ in range(3):
            assert await healthy(user)
            assert await healthy(await connect(place, "127.0.0.2"))
        assert await healthy(await connect(place)), "even from the same address"
        assert await ended(attack[0])
        for _, writer in attack:
            writer.close()


async def test_connection_with_a_request_in_work_is_not_closed_to_make_room(opened: Any) -> None:
    async with opened(max_connections=4) as place:
        reached = asyncio.Event()

        busy = await connect(place)
        busy[1].write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: 31\r\n\r\n")
        place.upstream.answer = reached.set
        busy[1].write(b'{"model":"llama","messages":[]}')
        await reached.wait()
        idle = [await connect(place) for _ in range(3)]
        await until(lambda: len(table(place)) == 4)
        assert await healthy(await connect(place, "127.0.0.2"))
        assert await ended(idle[0]) and not busy[0].at_eof()
        assert place.journal.settlements == []
        busy[1].close()


async def test_connection_with_half_a_head_or_no_handshake_makes_room(opened: Any, tmp_path: Path) -> None:
    certificate = Certificate(*write_pair(tmp_path, "first"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
    async with opened(max_connections=8, tls=certificate.context) as place:
        handshakes = [await connect(place) for _ in range(20)]
        for _, writer in handshakes:
            writer.write(HELLO)
        await until(lambda: len(table(place)) == 7)
        half = await connect(place, "127.0.0.3", ssl=trusting)
        half[1].write(b"GET /healthz HT")
        lines = [await connect(place, f"127.0.0.{number}", ssl=trusting) for number in range(4, 11)]
        assert [await healthy(line) for line in lines] == [True] * 7
        assert len(table(place)) == 8
        assert await ended(half) and await ended(handshakes[0])


async def test_handshake_that_does_not_end_is_given_up_after_its_timeout(opened: Any, tmp_path: Path) -> None:
    certificate = Certificate(*write_pair(tmp_path, "first"))
    async with opened(tls=certificate.context, tls_handshake_timeout_s=0.05) as place:
        for start in (b"", HELLO, HEALTHZ):
            line = await connect(place)
            line[1].write(start)
            await ended(line)
        await until(lambda: len(table(place)) == 0 and not place.server._tls_acceptor.handshakes)


@pytest.mark.parametrize("trusted", [(), ("127.0.0.0/8",)])
async def test_connections_of_a_trusted_proxy_are_not_limited_as_those_of_one_client(
    opened: Any, trusted: tuple[str, ...]
) -> None:
    async with opened(max_connections=16, max_connections_per_address=2, trusted=trusted) as place:
        lines = [await connect(place) for _ in range(6)]
        await until(lambda: len(table(place)) == (6 if trusted else 2))
        assert await healthy(lines[0]) is bool(trusted)
        assert await healthy(lines[-1])


async def test_connection_that_is_closed_leaves_its_place(opened: Any) -> None:
    async with opened(max_connections=8) as place:
        for _ in range(3):
            lines = [await connect(place) for _ in range(5)]
            assert all([await healthy(line) for line in lines])
            for _, writer in lines:
                writer.close()
            await until(lambda: len(table(place)) == 0)


async def test_settings_of_the_table_apply_to_the_next_connection(place: Any) -> None:
    from softix_proxy.domain.instance.sections import ServerSection

    place.server.take(ServerSection(max_connections=10, max_connections_per_address=3, trusted_proxies=("10.0.0.1",)))
    assert (table(place).most, table(place).most_of_one) == (10, 3)
    assert isinstance(place.context.client_addresses, ClientAddresses)
    place.server.take(ServerSection(max_connections=16))
    assert (table(place).most, table(place).most_of_one) == (16, 14)
