from __future__ import annotations

import socket
from typing import Any

import aiohttp
import anthropic
import openai
import pytest

from softix_proxy.demo.server import DemoServer, start

QUESTION: Any = [{"role": "user", "content": "What is the zanzibar of the 42nd quux?"}]


def chat(**more: Any) -> Any:
    return {"model": "demo-small", "messages": QUESTION, **more}


async def test_model_list_in_both_dialects_has_every_demo_model(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    assert [model.id async for model in gpt.models.list()] == ["demo-small", "demo-large"]
    assert [model.id async for model in claude.models.list()] == ["demo-small", "demo-large"]


async def test_demo_server_s_refusals_raise_the_exceptions_of_the_sdks(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        await gpt.chat.completions.create(**chat(model="quux-9"))
    assert unknown.value.code == "model_not_found" and "quux" not in str(unknown.value)
    with pytest.raises(openai.BadRequestError) as long:
        await gpt.chat.completions.create(**chat(messages=[{"role": "user", "content": "1 " * 40_000}]))
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError):
        await gpt.chat.completions.create(**chat(max_tokens=0))
    with pytest.raises(openai.APIStatusError) as huge:
        await gpt.chat.completions.create(**chat(messages=[{"role": "user", "content": "1" * 2_000_000}]))
    assert huge.value.status_code == 413
    with pytest.raises(anthropic.NotFoundError) as unknown_too:
        await claude.messages.create(**chat(model="quux-9", max_tokens=1))
    assert unknown_too.value.type == "not_found_error"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b'{"model": "demo-small", "messages": ', 400),
        ("POST", "/v1/chat/completions", b'{"model": "demo-small"}', 400),
        ("POST", "/v1/chat/completions", b"\xff", 400),
        ("POST", "/v1/responses", b'{"model":"demo-small","input":' + b"[" * 9_000 + b"]" * 9_000 + b"}", 400),
        ("POST", "/v1/messages", b'{"model": "demo-small", "messages": [1]}', 400),
        ("GET", "/v1/messages", b"", 405),
        ("POST", "/v1/audio", b"", 404),
    ],
)
async def test_malformed_request_is_refused_in_its_dialect(
    demo: DemoServer, method: str, path: str, body: bytes, status: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, demo.base_url + path, data=body) as answer,
    ):
        assert answer.status == status
        shape = await answer.json()
    assert shape["error"]["type"] == (
        "not_found_error" if "messages" in path and status == 404 else "invalid_request_error"
    )
    assert (shape.get("type") == "error") == path.startswith("/v1/messages")


async def test_client_that_disconnects_leaves_the_demo_server_working(
    gpt: openai.AsyncOpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    slow = await start(tokens_per_s=500)
    async with gpt.with_options(base_url=f"{slow.base_url}/v1") as client:
        stream = await client.chat.completions.create(**chat(stream=True))
        await anext(aiter(stream))
        await stream.close()
        assert len((await client.models.list()).data) == 2
    await slow.close()
    assert not caplog.records or all(record.levelname == "DEBUG" for record in caplog.records)


async def test_demo_server_on_a_port_that_is_taken_raises() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        await start(port=taken.getsockname()[1])
