import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from support.hostile import HostileProvider
from support.open_files import used_up

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.upstream.pool import ConnectionPool, PoolKey
from softix_proxy.upstream.sockets import Trust

SURPLUS = ("surplus", "surplus-later", "surplus-bytes", "timeout-408")
BODY = b"{}"


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    pool = ConnectionPool(Trust(None), 0, 100)
    yield pool
    pool.close()


def place_of(provider: HostileProvider, key_id: int = 1) -> PoolKey:
    host, port = provider.base_url.removeprefix("http://").split(":")
    return PoolKey(host, int(port), False, key_id)


async def ask(pool: ConnectionPool, provider: HostileProvider, mode: str, test_id: str, key_id: int = 1) -> bytes:
    lines = ("POST /v1/chat/completions HTTP/1.1", "host: a", f"x-hostile: {mode}", f"x-test-id: {test_id}")
    head = "\r\n".join((*lines, f"content-length: {len(BODY)}", "", "")).encode()
    place = place_of(provider, key_id)
    connection = await pool.take(place, 5)
    try:
        await connection.exchange(head, BODY, 5)
        return await connection.chunk()
    finally:
        pool.give(place, connection)


@pytest.mark.parametrize("mode", SURPLUS)
async def test_surplus_response_reaches_no_other_request(
    pool: ConnectionPool, hostile_provider: HostileProvider, mode: str
) -> None:
    sent = (await hostile_provider.books())["surplus_sent"]
    for number in range(1, 6):
        bad = await ask(pool, hostile_provider, mode, f"bad-{number}")
        if mode in ("surplus-later", "timeout-408"):
            await hostile_provider.books(sent + number)
        good = await ask(pool, hostile_provider, "plain", f"good-{number}")
        assert f"bad-{number}".encode() in bad and b"SURPLUS" not in bad
        assert f"good-{number}".encode() in good and json.loads(good)


async def test_idle_connection_is_reused_only_by_the_same_key(
    pool: ConnectionPool, hostile_provider: HostileProvider
) -> None:
    place = place_of(hostile_provider)
    await ask(pool, hostile_provider, "plain", "first")
    [first] = pool._idle[place]
    await ask(pool, hostile_provider, "plain", "second")
    await ask(pool, hostile_provider, "plain", "other", key_id=2)
    [second] = pool._idle[place]
    [other] = pool._idle[place_of(hostile_provider, 2)]
    assert first.connection is second.connection is not other.connection


async def test_pool_at_its_limit_makes_the_next_request_wait(hostile_provider: HostileProvider) -> None:
    pool, place = ConnectionPool(Trust(None), 1, 100), place_of(hostile_provider)
    first = await pool.take(place, 5)
    waiting = asyncio.create_task(pool.take(place, 5))
    await asyncio.sleep(0)
    assert not waiting.done()
    pool.give(place, first)
    pool.give(place, await waiting)
    pool.close()


async def test_pool_at_its_limit_for_too_long_raises_provider_busy(hostile_provider: HostileProvider) -> None:
    pool, place = ConnectionPool(Trust(None), 1, 100), place_of(hostile_provider)
    first = await pool.take(place, 5)
    with pytest.raises(ProviderFault) as fault:
        await pool.take(place, 0.01)
    assert fault.value.code is Code.PROVIDER_BUSY and not fault.value.started
    pool.give(place, first)
    pool.give(place, await pool.take(place, 5))  # whoever gave up took no place with him
    pool.close()


async def test_connection_idle_for_too_long_is_closed(
    pool: ConnectionPool, hostile_provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(pool, hostile_provider, "plain", "first")
    [[idle]] = pool._idle.values()
    pool._sweep()
    assert pool._idle
    monkeypatch.setattr("softix_proxy.upstream.pool._KEEP_IDLE_S", 0)
    pool._sweep()
    assert not pool._idle and not idle.connection.silent


@pytest.mark.parametrize("host", ["169.254.169.254", "no-such-host.invalid", "x" * 300])
async def test_unreachable_host_raises_a_fault(pool: ConnectionPool, host: str) -> None:
    with pytest.raises(ProviderFault) as caught:
        await pool.take(PoolKey(host, 80, False, 1), 5)
    assert (caught.value.code, caught.value.started) == (Code.PROVIDER_UNREACHABLE, False)


async def test_idle_connections_above_the_limit_are_closed_oldest_first(hostile_provider: HostileProvider) -> None:
    """Of many keys, each would keep its own for a minute, and those of clients that have left would be in the way."""
    pool = ConnectionPool(Trust(None), 0, 4)
    for key_id in range(1, 10):
        await ask(pool, hostile_provider, "plain", f"key-{key_id}", key_id)
        assert sum(map(len, pool._idle.values())) <= 4
    assert [place.key_id for place in pool._idle] == [6, 7, 8, 9], "those that have rested longest go"
    pool.close()


async def test_pool_out_of_files_closes_idle_connections_first(hostile_provider: HostileProvider) -> None:
    pool = ConnectionPool(Trust(None), 0, 100)
    for key_id in (1, 2):
        await ask(pool, hostile_provider, "plain", f"key-{key_id}", key_id)
    with used_up():
        assert b"third" in await ask(pool, hostile_provider, "plain", "third", key_id=3)
    assert [place.key_id for place in pool._idle] == [3]
    pool.close()


async def test_pool_out_of_files_raises_a_fault_that_is_not_the_provider_s(
    pool: ConnectionPool, hostile_provider: HostileProvider
) -> None:
    for host in ("127.0.0.1", "localhost", "provider.example"):
        place = place_of(hostile_provider)._replace(host=host)
        with used_up(), pytest.raises(ProviderFault) as fault:
            await pool.take(place, 5)
        assert (fault.value.code, fault.value.started) == (Code.OUT_OF_FILES, False), host
