"""Realtime sessions through the real daemon: metered response by response, cut off where the money ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from support.daemon import Prepared, prepared
from support.process import ServerProcess
from support.tenants import held, offer, rows

from softix_proxy.domain.catalog.providers import ProviderType

PRICE = {
    "input": "4",
    "cached_input": "0.40",
    "audio_input": "32",
    "cached_audio_input": "0.5",
    "output": "16",
    "audio_output": "64",
}
MODEL = "gpt-realtime-lab"
HOLD = 3_462_144
"""A context of 100,000 tokens at 32 a million, and 4,096 at 64, in micro-USD."""
TEXT_COST = "0.0012"
AUDIO_COST = "0.03749"
RESPOND = {"type": "response.create"}


class RealtimeProvider(ServerProcess):
    def __init__(self) -> None:
        super().__init__("realtime_server.py")

    async def control(self, verb: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=20)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{self.base_url}/_control/{verb}") as told,
        ):
            return await told.json()


@pytest.fixture
def provider() -> Iterator[RealtimeProvider]:
    started = RealtimeProvider()
    yield started
    started.stop()


@pytest.fixture
async def client(tmp_path: Path, provider: RealtimeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, provider.base_url, balance="10.00")
    await offer(made, MODEL, ProviderType.OPENAI, provider.base_url, PRICE)
    await made.instance.start(SOFTIX_SERVER_DRAIN_S="20", SOFTIX_RELAY_TAGS="team")
    yield made
    await made.instance.kill()


class Talk:
    """A session of aiohttp's client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[str] = []

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def respond(self, **told: str) -> None:
        await self.say("response.create", response={"metadata": told})

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                event: dict[str, Any] = await self.socket.receive_json()
                self.seen.append(event["type"])
                if event["type"] == kind:
                    return event

    async def closed(self) -> int | None:
        async with asyncio.timeout(20):
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        return self.socket.close_code


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def talk(client: Prepared, session: aiohttp.ClientSession, **options: Any) -> Talk:
    options = {"headers": client.headers, **options}
    begun = Talk(await session.ws_connect(f"{client.openai_url}/realtime?model={MODEL}", **options))
    await begun.until("session.created")
    return begun


async def settled(client: Prepared, number: int) -> list[dict[str, Any]]:
    """The rows of responses, the oldest first, once there are so many and nothing is held.

    What a session held last and did not use is a row besides, unless it ended before that was admitted.
    """
    async with asyncio.timeout(20):
        while len(found := await _used(client)) < number or await held(client):
            await asyncio.sleep(0.05)
    assert client.verify()["ok"] is True
    assert len(found) == number
    return found[::-1]


async def _used(client: Prepared) -> list[dict[str, Any]]:
    return [row for row in await rows(client) if row["error"] or row["usage_source"] != "none"]


async def test_azure_realtime_client_uses_the_model_of_its_deployment(
    client: Prepared, provider: RealtimeProvider
) -> None:
    """In the address, whatever the model is that it asks for."""
    sockets = f"{client.url.replace('http', 'ws', 1)}/openai"
    sdk = openai.AsyncAzureOpenAI(
        azure_endpoint=client.url,
        azure_deployment=MODEL,
        websocket_base_url=sockets,
        api_key=client.key,
        api_version="2025-04-01-preview",
    )
    async with sdk.realtime.connect(model="not-a-model") as connection:
        await connection.response.create(response={"metadata": {"usage": "text"}})
        async for event in connection:
            if event.type == "response.done":
                break
    [row] = await settled(client, 1)
    assert (row["model"], row["charge"]) == (MODEL, TEXT_COST)


async def test_openai_realtime_client_is_charged_exactly(client: Prepared, provider: RealtimeProvider) -> None:
    sdk = openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key)
    async with sdk.realtime.connect(model=MODEL) as connection:
        await connection.session.update(session={"type": "realtime", "model": MODEL, "instructions": "Be brief."})
        for usage in ("text", "audio"):
            await connection.response.create(response={"metadata": {"usage": usage}})
            async for event in connection:
                assert event.type != "error", event
                if event.type == "response.done":
                    break
            assert len(await _used(client)) == (1 if usage == "text" else 2), "the row is there before the event"
    first, second = await settled(client, 2)
    assert (first["charge"], second["charge"], first["usage_source"]) == (TEXT_COST, AUDIO_COST, "provider")
    meters = ("input_tokens", "cached_input_tokens", "audio_input_tokens", "cached_audio_input_tokens")
    assert [second[meter] for meter in meters] == [100, 100, 300, 500]
    assert (second["output_tokens"], second["audio_output_tokens"], second["endpoint"]) == (100, 400, "realtime")
    assert all(client.instance.cli("usage", "explain", row["request_id"])["agrees"] for row in (first, second))
    [seen] = await provider.control("sessions")
    assert client.key not in str(seen) and seen["headers"]["authorization"] == "Bearer sk-of-a-lab"


async def test_each_response_of_a_session_has_the_tags_of_its_handshake(
    client: Prepared, provider: RealtimeProvider
) -> None:
    sdk = openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key)
    async with sdk.realtime.connect(model=MODEL, extra_headers={"x-softix-tag": "team=voice"}) as connection:
        for _ in range(2):
            await connection.response.create(response={"metadata": {"usage": "text"}})
            async for event in connection:
                if event.type == "response.done":
                    break
    assert [row["tags"] for row in await settled(client, 2)] == ["team=voice"] * 2
    [seen] = await provider.control("sessions")
    assert "x-softix-tag" not in seen["headers"]


async def test_browser_s_realtime_key_is_accepted_and_not_passed_on_or_logged(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    offered = ("realtime", f"openai-insecure-api-key.{client.key}", "openai-beta.realtime-v1")
    begun = await talk(client, session, headers={}, protocols=offered)
    assert begun.socket.protocol == "realtime"
    await begun.say("input_audio_buffer.append", audio="AAAA")
    await begun.say("input_audio_buffer.commit")
    await begun.until("response.done")
    await begun.socket.close()
    [heard] = await settled(client, 1)
    assert heard["charge"] == AUDIO_COST
    [seen] = await provider.control("sessions")
    assert client.key not in str(seen) and seen["headers"]["openai-beta"] == "realtime=v1"
    assert client.key not in client.instance.log_text()


async def test_realtime_session_without_balance_for_a_response_is_closed(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    begun = await talk(client, session)
    client.instance.cli("balance", "set", client.user_id, "3.47")
    for _ in range(7):
        await begun.respond()
        await begun.until("response.done")
    error = (await begun.until("error"))["error"]
    assert error["code"] == "insufficient_balance" and "needed" in error
    assert await begun.closed() == 1008
    found = await settled(client, 7)
    assert {row["charge"] for row in found} == {TEXT_COST}


async def test_realtime_session_of_a_revoked_key_is_closed(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    begun = await talk(client, session)
    client.instance.cli("keys", "revoke", client.key_id, "--yes")
    await begun.respond()
    await begun.until("response.done")
    assert (await begun.until("error"))["error"]["code"] == "key_revoked"
    assert await begun.closed() == 1008
    await provider.control("ended")
    await settled(client, 1)


@pytest.mark.parametrize(
    ("credential", "model", "status", "code"),
    [
        ("sx_live_wrong", MODEL, 401, "invalid_api_key"),
        (None, "gpt-none", 404, "model_not_found"),
        (None, "", 400, "invalid_request"),
        (None, "claude-test", 400, "invalid_request"),
    ],
)
async def test_realtime_request_that_is_invalid_is_refused_before_the_session(
    client: Prepared, session: aiohttp.ClientSession, credential: str | None, model: str, status: int, code: str
) -> None:
    headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    headers |= {"sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg==", "authorization": f"Bearer {credential or client.key}"}
    async with session.get(f"{client.openai_url}/realtime?model={model}", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)
    assert await rows(client) == []
    async with session.get(f"{client.openai_url}/responses", headers=headers) as answer:
        assert answer.status == 426
    async with session.post(f"{client.openai_url}/realtime/client_secrets", json={}, headers=client.headers) as answer:
        assert (await answer.json())["error"]["code"] == "endpoint_not_metered"


async def test_realtime_model_unknown_to_the_provider_is_not_found_and_opens_no_breaker(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    await offer(client, "gpt-missing", ProviderType.OPENAI, provider.base_url, PRICE)
    for _ in range(2):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{client.openai_url}/realtime?model=gpt-missing", headers=client.headers)
        assert refused.value.status == 404
    found = await rows(client)
    assert [(row["usage_source"], row["error"], row["charge"]) for row in found] == [
        ("none", "provider_not_found", "0.00")
    ] * 2
    assert await held(client) == 0
    async with asyncio.timeout(20):
        while not (told := await asyncio.to_thread(client.instance.cli, "routes", "health")):
            await asyncio.sleep(0.05)
    [health] = told
    assert health["target"] == "gpt-missing-lab/gpt-missing"
    assert (health["breaker"], health["failures"], health["limited_s"]) == ("closed", 0, 0)


async def test_realtime_events_that_are_refused_leave_the_session_open(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    begun = await talk(client, session)
    heard = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    for kind, fields in (
        ("session.update", {"session": heard}),
        ("session.update", {"session": {"input_audio_transcription": {"model": "whisper-1"}}}),
        ("session.update", {"session": {"type": "transcription"}}),
        ("transcription_session.update", {"session": {}}),
        ("response.create", {"response": {"tools": [{"type": "code_interpreter"}]}}),
    ):
        await begun.say(kind, event_id="mine", **fields)
        assert (await begun.until("error"))["error"]["code"] == "endpoint_not_metered"
    await begun.say("response.create", event_id="mine", response={"metadata": {"refuse": "1"}})
    assert (await begun.until("error"))["error"]["event_id"] == "mine"
    await begun.respond(fail="1")
    await begun.until("response.done")
    await begun.respond()
    await begun.until("response.done")
    await begun.socket.close()
    failed, done = await settled(client, 2)
    assert (failed["error"], done["charge"]) == ("provider_fault", TEXT_COST)
    assert failed["usage_source"] == "estimate" and 0 < float(failed["charge"]) < float(TEXT_COST), "a delta had passed"
    [seen] = await provider.control("sessions")
    assert "session.update" not in seen["events"] and "transcription_session.update" not in seen["events"]


async def test_concurrent_realtime_responses_have_a_hold_each(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    begun = await talk(client, session)
    await begun.respond(gate="1")
    await provider.control("waiting")
    await begun.respond(gate="1")
    await begun.until("response.output_text.delta")
    await begun.until("response.output_text.delta")
    assert await held(client) // 10**6 == 2 * HOLD
    await begun.respond()
    assert (await begun.until("error"))["error"]["code"] == "insufficient_balance"
    await provider.control("open")
    await begun.until("response.done")
    await begun.until("response.done")
    await begun.socket.close()
    assert [row["charge"] for row in await settled(client, 2)] == [TEXT_COST, TEXT_COST]


async def test_realtime_disconnect_cancels_the_response_and_is_charged_exactly(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    begun = await talk(client, session)
    await begun.respond(gate="1")
    await begun.until("response.output_text.delta")
    await begun.socket.close()
    await provider.control("ended")
    [row] = await settled(client, 1)
    assert (row["charge"], row["usage_source"], row["error"]) == (TEXT_COST, "provider", "client_hung_up")
    [seen] = await provider.control("sessions")
    assert seen["events"][-1] == "response.cancel"


async def test_realtime_provider_that_breaks_off_is_charged_as_an_estimate(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    begun = await talk(client, session)
    await begun.respond(cut="1")
    assert (await begun.until("error"))["error"]["code"] == "provider_broke_off"
    assert await begun.closed() == 1011
    [row] = await settled(client, 1)
    assert (row["usage_source"], row["error"]) == ("estimate", "provider_broke_off")
    assert row["output_tokens"] == 4 and 0 < float(row["charge"]) < 0.001


async def test_realtime_session_that_the_provider_ends_is_closed_and_charged(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    begun = await talk(client, session)
    await begun.respond(done="1")
    await begun.until("response.done")
    assert await begun.closed() == 1001
    assert [row["charge"] for row in await settled(client, 1)] == [TEXT_COST]


async def test_realtime_session_at_shutdown_finishes_its_response(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    busy, idle = await talk(client, session), await talk(client, session)
    await busy.respond(gate="1")
    await provider.control("waiting")
    client.instance.send(signal.SIGTERM)
    assert (await idle.until("error"))["error"]["code"] == "shutting_down"
    assert await idle.closed() == 1001
    await provider.control("open")
    await busy.until("response.done")
    assert await busy.closed() == 1001
    assert await client.instance.wait() == 0
    assert [row["charge"] for row in await settled(client, 1)] == [TEXT_COST]


async def test_realtime_session_at_a_second_signal_is_cut_and_settled(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    busy, idle = await talk(client, session), await talk(client, session)
    await busy.respond(gate="1")
    await provider.control("waiting")
    client.instance.send(signal.SIGTERM)
    await idle.until("error")
    client.instance.send(signal.SIGTERM)
    assert await client.instance.wait() == 0
    [row] = await settled(client, 1)
    assert (row["usage_source"], row["error"]) == ("estimate", "shutting_down")


async def test_realtime_session_after_a_crash_is_recovered_as_interrupted(
    client: Prepared, session: aiohttp.ClientSession, provider: RealtimeProvider
) -> None:
    begun = await talk(client, session)
    await begun.respond()
    await begun.until("response.done")
    await begun.respond(gate="1")
    await provider.control("waiting")
    await client.instance.kill()
    assert await held(client) // 10**6 == HOLD
    await client.instance.start()
    done, lost = await settled(client, 2)
    assert (done["charge"], lost["usage_source"], lost["charge"]) == (TEXT_COST, "interrupted", "0.00")
