"""Clients that leave: what the provider does then, and what is billed."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake
from support.tenants import rows, settled, tenant
from support.wire import CHAT, MESSAGES, Route, begin_stream, connect

WAYS = {"chat": (CHAT, "gpt-drained"), "messages": (MESSAGES, "claude-drained")}


def of(route: Route, model: str) -> Route:
    return route._replace(ask={**route.ask, "model": model})


@pytest.mark.parametrize("way", WAYS)
async def test_disconnect_cancels_the_provider_s_stream_and_charges_what_passed(
    way: str, client: Prepared, fake_provider: FakeProvider
) -> None:
    """The connection to it ends at once, and what passed is billed."""
    route = WAYS[way][0]
    reader, writer = await begin_stream(client, route, fake(gate="on", gate_after=3, chunks=50, slow=10))
    await fake_provider.waiting("on")
    await reader.readuntil(b"data:")
    writer.transport.abort()
    await fake_provider.until("hung_up")
    row = await settled(client)
    assert row["error"] == "client_hung_up" and row["usage_source"] in ("estimate", "partial")
    assert int(str(row["output_tokens"])) >= 3 and float(str(row["charge"])) > 0
    assert (await fake_provider.totals())["finished"] == 0


@pytest.mark.parametrize("way", WAYS)
async def test_disconnect_from_a_provider_that_bills_everything_reads_the_stream_to_its_end(
    way: str, client: Prepared, fake_provider: FakeProvider
) -> None:
    """Where it bills the whole answer anyway, the row says what it says."""
    client = await tenant(client, offered=(WAYS[way][1],))
    reader, writer = await begin_stream(client, of(*WAYS[way]), fake(gate="on", gate_after=3, chunks=50, slow=10))
    await fake_provider.waiting("on")
    await reader.readuntil(b"data:")
    writer.transport.abort()
    await fake_provider.open("on")
    await fake_provider.until("finished")
    row = await settled(client)
    [record] = await fake_provider.requests()
    assert (row["usage_source"], row["error"]) == ("provider", "client_hung_up")
    assert (row["input_tokens"], row["output_tokens"]) == (record["input_tokens"], record["output_tokens"])
    assert record["output_tokens"] == 50


async def test_disconnect_before_the_response_charges_the_input_as_an_estimate(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The provider has read the request: its input is billed, for it may have been worked on."""
    _, writer = await begin_stream(client, CHAT, fake(gate="head"))
    await fake_provider.waiting("head")
    writer.transport.abort()
    await fake_provider.until("hung_up")
    row = await settled(client)
    assert (row["error"], row["status_code"], row["usage_source"]) == ("client_hung_up", 499, "estimate")
    assert row["output_tokens"] == 8 and int(str(row["input_tokens"])) > 0


async def test_disconnect_from_an_unstreamed_response_charges_what_the_provider_reports(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """It is read to its end: the provider bills all of it."""
    body = json.dumps(CHAT.ask)
    _, writer = await connect(client)
    told = fake(gate="whole")["x-fake"]
    head = f"POST {CHAT.path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {client.key}\r\nx-fake: {told}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
    await fake_provider.waiting("whole")
    writer.transport.abort()
    await fake_provider.open("whole")
    row = await settled(client)
    [record] = await fake_provider.requests()
    assert (row["status_code"], row["usage_source"]) == (200, "provider")
    assert (row["input_tokens"], row["output_tokens"]) == (record["input_tokens"], record["output_tokens"])


async def test_client_that_reads_slowly_gets_the_whole_stream(client: Prepared, fake_provider: FakeProvider) -> None:
    """More than all buffers hold, to a client that takes its time; memory is the daemon's matter, not its fate."""
    reader, writer = await begin_stream(client, CHAT, fake(big=6_000_000, split=60_000))
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await fake_provider.until("requests")
    writer.transport.resume_reading()  # type: ignore[attr-defined]
    async with asyncio.timeout(30):
        got = await reader.readuntil(b"\r\n\r\n")
        size = len(got)
        tail = b""
        while not tail.endswith(b"0\r\n\r\n"):
            piece = await reader.read(50_000)
            assert piece, "the stream broke off"
            size, tail = size + len(piece), (tail + piece)[-64:]
    writer.close()
    assert size > 6_000_000
    row = await settled(client)
    assert (row["usage_source"], row["error"]) == ("provider", None)


async def test_client_that_reads_nothing_is_disconnected_and_charged_what_the_provider_reports(
    hasty_client: Prepared, fake_provider: FakeProvider
) -> None:
    """After half a second here. What waited in the buffers was produced as well, so it is read to its end."""
    _, writer = await begin_stream(hasty_client, CHAT, fake(big=20_000_000, split=200_000))
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    row = await settled(hasty_client)
    [record] = await fake_provider.requests()
    assert (row["error"], row["usage_source"], row["note"]) == ("client_hung_up", "provider", None)
    assert (row["input_tokens"], row["output_tokens"]) == (record["input_tokens"], record["output_tokens"])
    writer.close()


@pytest.mark.parametrize("sent", [b"POST /v1/chat", b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-slow: "])
async def test_client_whose_head_trickles_in_is_disconnected(hasty_client: Prepared, sent: bytes) -> None:
    reader, writer = await connect(hasty_client)
    writer.write(sent)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()
    assert await rows(hasty_client) == []


async def test_client_whose_body_trickles_in_is_refused_with_a_timeout(
    hasty_client: Prepared, fake_provider: FakeProvider
) -> None:
    reader, writer = await connect(hasty_client)
    head = f"POST {CHAT.path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {hasty_client.key}\r\n"
    writer.write(f"{head}content-length: 500\r\n\r\n{{".encode())
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ") and b"request_timeout" in answer
    assert await rows(hasty_client) == [] and await fake_provider.requests() == []


async def test_disconnect_from_a_stream_that_can_hide_its_cost_charges_what_the_provider_reports(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The member is not known to hide nothing, so the stream is read to its end, although the provider would stop."""
    route = CHAT._replace(ask={**CHAT.ask, "safe_prompt": True})
    reader, writer = await begin_stream(
        client, route, fake(gate="on", gate_after=3, chunks=50, slow=5, tokens="900,50")
    )
    await fake_provider.waiting("on")
    await reader.readuntil(b"data:")
    writer.transport.abort()
    await fake_provider.open("on")
    await fake_provider.until("finished")
    row = await settled(client)
    assert (row["usage_source"], row["error"], row["note"]) == ("provider", "client_hung_up", None)
    assert (row["input_tokens"], row["output_tokens"]) == (900, 50)
