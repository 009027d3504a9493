from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.hostile import HostileProvider


def request(model: str, test_id: str, headers: str = "") -> bytes:
    body = json.dumps({"model": model, "messages": []})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-test-id: {test_id}\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


async def connect(provider: HostileProvider) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", urlsplit(provider.base_url).port)


async def read_answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    found: dict[str, Any] = json.loads(await reader.readexactly(length))
    return found


def content(answer: dict[str, Any]) -> str:
    text: str = answer["choices"][0]["message"]["content"]
    return text


async def test_hostile_provider_in_plain_mode_returns_the_request_s_id(hostile_provider: HostileProvider) -> None:
    reader, writer = await connect(hostile_provider)
    numbers = []
    for test_id in ("one", "two"):
        writer.write(request(hostile_provider.model("plain"), test_id))
        answer = await read_answer(reader)
        assert content(answer) == f"for {test_id}"
        numbers.append(int(answer["id"].removeprefix("chatcmpl-")))
    assert numbers[0] < numbers[1]
    writer.close()


@pytest.mark.parametrize("mode", ["surplus", "surplus-later"])
async def test_hostile_provider_in_a_surplus_mode_sends_a_second_response(
    hostile_provider: HostileProvider, mode: str
) -> None:
    sent = (await hostile_provider.books())["surplus_sent"]
    reader, writer = await connect(hostile_provider)
    writer.write(request(hostile_provider.model(mode), "mine"))
    assert content(await read_answer(reader)) == "for mine"
    assert content(await read_answer(reader)) == "for SURPLUS"
    assert (await hostile_provider.books(sent + 1))["modes"][-1] == mode
    writer.close()


async def test_hostile_provider_in_early_mode_responds_before_the_body(hostile_provider: HostileProvider) -> None:
    reader, writer = await connect(hostile_provider)
    whole = request("any", "mine", "x-hostile: early\r\n")
    writer.write(whole[:-5])
    assert content(await read_answer(reader)) == "for mine"
    writer.write(whole[-5:] + request("any", "next"))
    assert content(await read_answer(reader)) == "for next"
    writer.close()


async def test_hostile_provider_after_a_disconnect_still_sends_its_response(hostile_provider: HostileProvider) -> None:
    sent = (await hostile_provider.books())["surplus_sent"]
    _, writer = await connect(hostile_provider)
    writer.write(request(hostile_provider.model("after-hang-up"), "mine"))
    writer.write_eof()
    assert (await hostile_provider.books(sent + 1))["surplus_sent"] > sent
    writer.close()


@pytest.mark.parametrize(
    ("mode", "part"),
    [
        ("two-lengths", b"content-length: 2\r\ncontent-length: 40"),
        ("both-framings", b"transfer-encoding: chunked\r\ncontent-length: 2"),
        ("header-garbage", b"no colon"),
        ("bare-cr", b"a\rset-cookie"),
        ("bad-chunk", b"zz\r\n"),
        ("http-0-9", b"<html>"),
        ("upgrade-101", b" 101 "),
        ("huge-length", b"9223372036854775808"),
    ],
)
async def test_hostile_provider_in_a_framing_mode_sends_the_bad_head(
    hostile_provider: HostileProvider, mode: str, part: bytes
) -> None:
    reader, writer = await connect(hostile_provider)
    writer.write(request(hostile_provider.model(mode), "mine"))
    assert part in await reader.read()
    writer.close()


@pytest.mark.parametrize("mode", ["endless-headers", "endless-line", "endless-1xx"])
async def test_hostile_provider_in_an_endless_mode_sends_megabytes(
    hostile_provider: HostileProvider, mode: str
) -> None:
    reader, writer = await connect(hostile_provider)
    writer.write(request(hostile_provider.model(mode), "mine"))
    size = 0
    while part := await reader.read(1 << 20):
        size += len(part)
    assert size > 4 << 20
    writer.close()


async def test_hostile_provider_in_every_mode_sends_something(hostile_provider: HostileProvider) -> None:
    for mode in hostile_provider.modes:
        reader, writer = await connect(hostile_provider)
        writer.write(request(hostile_provider.model(mode), "mine"))
        assert await reader.read(10)
        writer.close()
