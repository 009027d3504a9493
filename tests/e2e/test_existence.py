"""What belongs to others, and what does not exist, gets the same answer: nobody learns what there is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import rows, tenant

LINE = b'{"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-test"}}'
OWN_HEADERS = {"date", "x-softix-request-id", "x-softix-overhead-ms", "content-length"}
_REQUEST_ID = re.compile(r"req_[0-9a-z]+")
BODIES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, {}),
    "responses": ("/v1/responses", {"input": "x"}, {}),
    "embeddings": ("/v1/embeddings", {"input": "x"}, {}),
    "messages": (
        "/v1/messages",
        {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
        {"anthropic-version": "2023-06-01"},
    ),
}


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


@pytest.fixture
async def house(lab: BatchLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    async with made.instance.serving():
        yield made


async def told(client: Prepared, method: str, path: str, **options: Any) -> tuple[int, str, dict[str, str]]:
    """What a client can tell one answer from another by, without the id of the request."""
    headers = {**client.headers, **options.pop("headers", {})}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{client.url}{path}", headers=headers, **options) as answer,
    ):
        body = _REQUEST_ID.sub("req", await answer.text())
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS}
        return answer.status, body, kept


@pytest.mark.parametrize("dialect", BODIES)
async def test_model_that_is_not_for_a_key_or_its_regions_is_answered_as_one_that_does_not_exist(
    house: Prepared, dialect: str
) -> None:
    path, body, headers = BODIES[dialect]
    narrow, elsewhere = await tenant(house, offered=("other-*",)), await tenant(house)
    house.instance.cli("keys", "update", elsewhere.key_id, "--regions", "ch")
    for client in (narrow, elsewhere):
        there, nowhere = [
            await told(client, "POST", path, json={"model": model, **body}, headers=headers)
            for model in ("gpt-test", "no-such-model")
        ]
        assert there == nowhere and there[0] == 404
        for model in ("gpt-test", "chat-lab/gpt-test"):
            listed = await told(client, "GET", f"/v1/models/{model}", headers=headers)
            assert listed == await told(client, "GET", "/v1/models/no-such-model", headers=headers)
        assert json.loads((await told(client, "GET", "/v1/models", headers=headers))[1])["data"] == []


async def test_object_and_usage_of_another_user_are_answered_as_ones_that_do_not_exist(house: Prepared) -> None:
    ada, eve = await tenant(house), await tenant(house)
    async with openai.AsyncOpenAI(base_url=ada.openai_url, api_key=ada.key, max_retries=0) as sdk:
        file = (await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id
        batch = await sdk.batches.create(input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h")
        with pytest.raises(openai.NotFoundError):  # the fake provider knows batches only; a row is written all the same
            await sdk.chat.completions.create(model="gpt-test", messages=[{"role": "user", "content": "x"}])
    used = (await rows(ada))[0]["request_id"]
    for method, path in (
        ("GET", f"/v1/files/{file}"),
        ("GET", f"/v1/files/{file}/content"),
        ("DELETE", f"/v1/files/{file}"),
        ("GET", f"/v1/batches/{batch.id}"),
        ("POST", f"/v1/batches/{batch.id}/cancel"),
        ("GET", f"/v1/usage/{used}"),
    ):
        assert (await told(ada, "GET", path))[0] == 200 or method != "GET", path
        name = file if file in path else batch.id if batch.id in path else used
        nobodys = path.replace(name, f"{name[:-4]}zzzz")
        theirs = await told(eve, method, path)
        assert theirs == await told(eve, method, nobodys) and theirs[0] == 404, path
    made = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    theirs = await told(eve, "POST", "/v1/batches", json={"input_file_id": file, **made})
    assert theirs == await told(eve, "POST", "/v1/batches", json={"input_file_id": "file-none", **made})
