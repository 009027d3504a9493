"""Forms with files: they go to the provider as they come, and are kept nowhere on the way."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake
from support.sdks import Call
from support.tenants import charges, held, rows
from support.wire import BOUNDARY, ROUTES, connect

ROUTE = ROUTES["transcriptions"]
KIND, WHOLE = ROUTE.body({})
CUT = WHOLE.index(b"sound\r\n")
"""Within the file."""


def head(client: Prepared, body_bytes: int = len(WHOLE), path: str = ROUTE.path) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: a", f"authorization: Bearer {client.key}", f"content-type: {KIND}"]
    return "\r\n".join([*lines, f"content-length: {body_bytes}", "", ""]).encode()


def open_files(of: Prepared) -> set[str]:
    """Regular files that the daemon has open, other than its own."""
    assert of.instance.process is not None
    found = set()
    for entry in Path(f"/proc/{of.instance.process.pid}/fd").iterdir():
        target = os.readlink(entry) if entry.is_symlink() else ""
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/", str(of.instance.folder))):
            found.add(target)
    return found


async def test_uploaded_file_reaches_the_provider_while_it_comes_and_opens_no_file(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    """The provider has the request before the client has sent its end, and no file is opened for it."""
    before = open_files(any_client)
    reader, writer = await connect(any_client)
    big = WHOLE[:CUT] + b"z" * 3_000_000 + WHOLE[CUT:]
    writer.write(head(any_client, len(big)) + big[:2_000_000])
    await writer.drain()
    while not await fake_provider.requests():
        await asyncio.sleep(0.01)
    assert open_files(any_client) == before
    writer.write(big[2_000_000:])
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    await fake_provider.until("finished")
    [record] = await fake_provider.requests()
    assert record["body_sha256"] == hashlib.sha256(big).hexdigest()
    [row] = await rows(any_client)
    assert (row["audio_ms"], row["usage_source"], await charges(any_client)) == (9000, "provider", ["-0.0009"])


async def test_uploaded_file_before_the_model_is_passed_unchanged(
    any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    """As JavaScript's SDK writes it."""
    delimiter = f"--{BOUNDARY}".encode()
    _, model, file, end = WHOLE.split(delimiter)
    body = delimiter.join((b"", file, model, end))
    headers = {**any_client.headers, "content-type": KIND}
    async with session.post(any_client.url + ROUTE.path, data=body, headers=headers) as answer:
        assert answer.status == 200
    [record] = await fake_provider.requests()
    assert record["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert len(await charges(any_client)) == 1


@pytest.mark.parametrize("late", ["model", "stream"])
async def test_form_whose_model_or_stream_field_follows_the_file_is_refused(
    late: str, any_client: Prepared, fake_provider: FakeProvider
) -> None:
    reader, writer = await connect(any_client)
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{late}"\r\n\r\ntrue\r\n'.encode()
    body = WHOLE[:CUT] + b"z" * 500_000 + WHOLE[CUT:].replace(f"--{BOUNDARY}--".encode(), part + WHOLE[-18:])
    writer.write(head(any_client, len(body)) + body)
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    for row in await rows(any_client):
        assert (row["usage_source"], row["charge"], row["error"]) == ("none", "0.00", "invalid_request")
    assert await charges(any_client) == [] and await held(any_client) == 0
    assert (await fake_provider.totals())["finished"] == 0


async def test_client_that_disconnects_during_an_upload_is_not_charged(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    _, writer = await connect(any_client)
    writer.write(head(any_client, 1_000_000) + WHOLE[:CUT])
    async with asyncio.timeout(20):
        while not await fake_provider.requests():
            await asyncio.sleep(0.01)
        writer.transport.abort()
        while not (posted := await rows(any_client)):
            await asyncio.sleep(0.01)
    [row] = posted
    assert (row["usage_source"], row["error"], row["status_code"]) == ("none", "client_hung_up", 499)
    assert await charges(any_client) == [] and await held(any_client) == 0


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_provider_refusal_of_an_upload_is_passed_and_not_charged(
    status: int, any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    headers = {**any_client.headers, "content-type": KIND, **fake(status=status)}
    async with session.post(any_client.url + ROUTE.path, data=WHOLE, headers=headers) as answer:
        assert answer.status == status
    assert await charges(any_client) == [] and await held(any_client) == 0


SOUND = ("speech.mp3", b"ID3 not really sound", "audio/mpeg")
CALLS = {
    "transcription": Call("audio.transcriptions.create", {"model": "sound-test", "file": SOUND}),
    "transcription in full": Call(
        "audio.transcriptions.create", {"model": "sound-test", "file": SOUND, "response_format": "verbose_json"}
    ),
    "transcription stream": Call(
        "audio.transcriptions.create", {"model": "sound-test", "file": SOUND, "stream": True}, "stream"
    ),
    "translation": Call(
        "audio.translations.create", {"model": "sound-test", "file": SOUND, "response_format": "verbose_json"}
    ),
    "picture": Call("images.generate", {"model": "gpt-test", "prompt": "A river."}),
    "picture stream": Call("images.generate", {"model": "gpt-test", "prompt": "A river.", "stream": True}, "stream"),
    "edit": Call("images.edit", {"model": "gpt-test", "prompt": "A river.", "image": SOUND}),
    "variation": Call("images.create_variation", {"model": "image-test", "image": SOUND}),
    "moderation": Call("moderations.create", {"model": "gpt-test", "input": "A river."}),
}


async def test_openai_sdk_with_uploads_gets_the_same_as_from_the_provider(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    direct = openai.AsyncOpenAI(base_url=f"{fake_provider.base_url}/v1", api_key="sk-direct", max_retries=0)
    through = openai.AsyncOpenAI(base_url=any_client.openai_url, api_key=any_client.key, max_retries=0)
    for name, call in CALLS.items():
        outcome = await call.outcome(through)
        assert outcome == await call.outcome(direct), name
        assert not isinstance(outcome[0][0], list), f"{name} failed: {outcome}"
    assert len(await rows(any_client)) == len(await charges(any_client)) == len(CALLS)


async def test_speech_by_the_openai_sdk_is_unchanged_and_charged_by_the_character(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    asked: dict[str, Any] = {"model": "speech-test", "input": "What is there to say?", "voice": "alloy"}
    heard = []
    for url, key in ((fake_provider.base_url, "sk-direct"), (any_client.url, any_client.key)):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            heard.append((await client.audio.speech.create(**asked)).content)
    assert heard[0] == heard[1] and len(heard[0]) > 100
    [row] = await rows(any_client)
    assert (row["characters"], row["charge"], row["usage_source"]) == (21, "0.000315", "provider")


async def test_speech_of_a_model_paid_by_the_token_is_metered_from_events(
    any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    """Who did not ask for events gets the sound in them."""
    asked = {"model": "gpt-test", "input": "What is there to say?", "voice": "alloy"}
    url = f"{any_client.url}/v1/audio/speech"
    async with session.post(url, json=asked, headers=any_client.headers) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/mpeg", b"hello" * 8)
    async with session.post(url, json={**asked, "stream_format": "sse"}, headers=any_client.headers) as answer:
        assert (answer.content_type, b"speech.audio.done" in await answer.read()) == ("text/event-stream", True)
    posted = await rows(any_client)
    assert [(row["input_tokens"], row["audio_output_tokens"], row["characters"]) for row in posted] == [
        (5, 8, None)
    ] * 2
    assert len(await charges(any_client)) == 2


async def test_speech_of_a_model_without_a_price_for_it_is_refused(
    any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    asked = {"model": "sound-test", "input": "What is there to say?", "voice": "alloy"}
    async with session.post(f"{any_client.url}/v1/audio/speech", json=asked, headers=any_client.headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "endpoint_not_metered")
    assert await fake_provider.requests() == []
