"""What belongs to one user looks to every other as if it did not exist; and no provider's key comes back to anybody."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake
from support.tenants import tenant
from support.wire import CHAT, MESSAGES, Answered, Route, post, send

LINE = b'{"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-test"}}'
CHANGING = ("date", "x-softix-request-id", "x-softix-overhead-ms", "content-length")
THINGS = {
    "usage": ("GET", "/v1/usage/{request}"),
    "file": ("GET", "/v1/files/{file}"),
    "file's content": ("GET", "/v1/files/{file}/content"),
    "file to delete": ("DELETE", "/v1/files/{file}"),
    "batch": ("GET", "/v1/batches/{batch}"),
    "batch to cancel": ("POST", "/v1/batches/{batch}/cancel"),
    "batch of Google's clients": ("POST", "/v1/batches/{batch}:cancel"),
    "batch of another dialect": ("GET", "/v1/messages/batches/{batch}"),
    "results of another dialect": ("GET", "/v1/messages/batches/{batch}/results"),
}
ABSENT = {"request": "req_0000000000000", "file": "file-0123456789abcdef", "batch": "batch_0123456789abcdef"}


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[tuple[Prepared, BatchLab, dict[str, str]]]:
    """A user, the provider, and the ids of what the user has there and here."""
    async with batch_lab() as lab, aiohttp.ClientSession() as session:
        made = await prepared(tmp_path, lab.base_url)
        async with made.instance.serving():
            form = aiohttp.FormData({"purpose": "batch"})
            form.add_field("file", LINE, filename="in.jsonl")
            async with session.post(f"{made.url}/v1/files", data=form, headers=made.headers) as answer:
                file = (await answer.json())["id"]
            asked = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
            async with session.post(f"{made.url}/v1/batches", json=asked, headers=made.headers) as answer:
                batch = (await answer.json())["id"]
            used = await post(session, made.url, CHAT, made.headers)
            yield made, lab, {"request": used.headers["x-softix-request-id"], "file": file, "batch": batch}


def comparable(answer: Answered, names: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """The answer without what differs between any two, and without the name that was asked for."""
    text = re.sub(r"req_[0-9a-z]+", "ID", answer.body.decode())
    for name in names.values():
        text = text.replace(name, "NAME")
    return answer.status, {name: value for name, value in answer.headers.items() if name not in CHANGING}, text


async def test_thing_of_another_user_looks_like_one_that_does_not_exist(
    owner: tuple[Prepared, BatchLab, dict[str, str]],
) -> None:
    house, lab, names = owner
    other, seen = await tenant(house), len(lab.seen)
    async with aiohttp.ClientSession() as session:
        for what, (method, path) in THINGS.items():
            found = await send(session, method, house.url + path.format(**names), other.headers)
            absent = await send(session, method, house.url + path.format(**ABSENT), other.headers)
            assert found.status in (400, 404), what
            assert comparable(found, names) == comparable(absent, ABSENT), what
        for folder in ("files", "batches"):
            listed = await send(session, "GET", f"{house.url}/v1/{folder}", other.headers)
            assert json.loads(listed.body)["data"] == []
        assert len(lab.seen) == seen, "the provider was asked for another's thing"
        shown = await send(session, "GET", f"{house.url}/v1/usage/{names['request']}", house.headers)
        assert shown.status == 200, "its owner sees it"


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in base64": lambda key: base64.b64encode(key.encode()).decode().rstrip("="),
    "percent-encoded": lambda key: "".join(f"%{ord(letter):02X}" for letter in key),
    "quoted": lambda key: quote(f"Bearer {key}"),
}
WAYS: dict[str, dict[str, object]] = {
    "error 400": {"status": 400},
    "error 401": {"status": 401},
    "error 500": {"status": 500},
    "error in a stream": {"error-after": 0},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
async def test_key_of_the_provider_in_its_answer_does_not_reach_the_client(
    form: str, way: str, guarded: Prepared, fake_provider: FakeProvider
) -> None:
    """As it stands, and in every form in which a server may quote it."""
    client, routes = await tenant(guarded), {"chat-lab": CHAT, "message-lab": MESSAGES}
    async with aiohttp.ClientSession() as session:
        for lab, route in routes.items():
            text = FORMS[form](client.provider_keys[lab])
            headers = {**client.headers, **fake(canary=text, **WAYS[way])}
            answer = await _post(session, client, route, headers, stream="error-after" in WAYS[way])
            assert text.encode() not in answer.body
            assert all(text not in value for value in answer.headers.values())


async def _post(
    session: aiohttp.ClientSession, client: Prepared, route: Route, headers: dict[str, str], *, stream: bool
) -> Answered:
    return await post(session, client.url, route, headers, json={"stream": True} if stream else {})
