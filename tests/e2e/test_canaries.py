"""No content is kept: marked texts are sent through every way there is, and then looked for everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from support.canaries import Canaries, forms
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake


def body(canaries: Canaries, place: str, **more: Any) -> dict[str, Any]:
    return {
        "model": "gpt-test",
        "messages": [{"role": "user", "content": canaries[f"prompt {place}"]}],
        "metadata": {"note": canaries[f"metadata {place}"]},
        "user": canaries[f"user field {place}"],
        **more,
    }


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "stream": {"stream": True},
    "provider error": {"status": 500},
    "provider refuses credentials": {"status": 401},
    "provider limits": {"status": 429},
    "garbage": {"garbage": True},
    "truncated": {"truncate": True},
    "cut stream": {"stream": True, "cut-after": 2},
    "error in stream": {"stream": True, "error-after": 2},
    "no usage": {"no-usage": True},
    "odd model name": {"model": "canary"},
    "unpriced": {"model": "gpt-unpriced"},
    "bad field": {"max_tokens": "canary"},
}
"""Fields of the body, and what the provider is told."""
OF_BODY = {"stream", "model", "max_tokens"}


async def send_all(client: Prepared, canaries: Canaries) -> None:
    url = f"{client.openai_url}/chat/completions"
    async with aiohttp.ClientSession() as session:
        for place, told in WAYS.items():
            fields = {
                name: canaries[f"{name} {place}"] if value == "canary" else value
                for name, value in told.items()
                if name in OF_BODY
            }
            directives = {name: value for name, value in told.items() if name not in OF_BODY}
            headers = {
                **client.headers,
                **fake(canary=canaries[f"answer {place}"], **directives),
                "user-agent": canaries[f"agent {place}"],
                "x-custom": canaries[f"header {place}"],
            }
            query = {"q": canaries[f"query {place}"]}
            try:
                asked = body(canaries, place, **fields)
                async with session.post(url, json=asked, headers=headers, params=query) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                assert place in ("truncated", "cut stream")


RAW = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n%s: x y\r\n\r\n%s",
    b"%s\r\n\r\n%s",
    b"GET /v1/%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: x%s\r\n\r\n%s",
    b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: %s\r\n\r\nzz%s\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nX: %s\r\nContent-Length: 30\r\n\r\n%s",
    b"PRI %s HTTP/2.0\r\n\r\n%s",
)


async def send_malformed(client: Prepared, canaries: Canaries) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    for number, form in enumerate(RAW):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(form % (canaries[f"raw {number}"].encode(), canaries[f"raw body {number}"].encode()))
        writer.write_eof()
        answer = await reader.read()
        assert not canaries.found_in(answer), f"echoed: {form!r}"
        writer.close()


async def test_marked_texts_after_requests_of_every_kind_are_found_nowhere(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    canaries = Canaries()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    client = await prepared(tmp_path / "instance", fake_provider.base_url)
    instance = client.instance
    canaries.texts["user's key"] = client.key
    canaries.texts |= {f"key of {name}": key for name, key in client.provider_keys.items()}
    instance.cli("models", "add", "gpt-unpriced", "--provider", "chat-lab")
    await instance.start(SOFTIX_LOG_LEVEL="debug", PYTHONASYNCIODEBUG="1", TMPDIR=str(temporary))
    await send_all(client, canaries)
    await send_malformed(client, canaries)
    async with aiohttp.ClientSession() as session, session.get(f"{client.url}/metrics") as answer:
        metrics = await answer.read()
    assert instance.process is not None
    arguments = Path(f"/proc/{instance.process.pid}/cmdline").read_bytes()
    leaving = asyncio.create_task(send_all(client, canaries))
    await fake_provider.until("requests", len(WAYS) + 2)
    await instance.kill()  # so that the write-ahead log is still there
    await asyncio.gather(leaving, return_exceptions=True)
    said = "".join(instance.run(*command).stdout for command in (("usage", "list", "--json"), ("doctor", "--offline")))
    assert len(canaries.texts) > 60
    assert canaries.found_in(metrics) == []
    assert canaries.found_in(arguments) == []
    assert canaries.found_in(said.encode()) == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files) and instance.log in files
    for path in files:
        assert canaries.found_in(path.read_bytes()) == [], path


async def test_search_for_marked_texts_finds_each_of_their_forms(tmp_path: Path) -> None:
    """The check above can fail."""
    canaries = Canaries()
    for number, form in enumerate(forms(canaries["x"])):
        (tmp_path / str(number)).write_bytes(b"before" + form + b"after")
        assert canaries.found_in((tmp_path / str(number)).read_bytes()) == ["x"]
