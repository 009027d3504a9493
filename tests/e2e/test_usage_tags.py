"""Tags and end users through the real daemon: each kind of request keeps them with its usage, and tells nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, told

HEADER = "x-softix-tag"
ASK: Any = {"model": "gpt-test", "max_tokens": 16, "messages": [{"role": "user", "content": "Tagged?"}]}
MESSAGE: Any = {**ASK, "model": "claude-test"}


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url, tags=("env=prod",))
    async with made.instance.serving(SOFTIX_RELAY_TAGS="team,feature"):
        yield made


async def ask(client: Prepared, *tags: str, **more: Any) -> tuple[int, Any]:
    headers = [*client.headers.items(), *((HEADER, tag) for tag in tags)]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.openai_url}/chat/completions", json={**ASK, **more}, headers=headers) as answer,
    ):
        text = await answer.text()
        return answer.status, text if more.get("stream") else json.loads(text)


def kept(client: Prepared, *options: str) -> list[tuple[str | None, str | None]]:
    """The tags and the end user of each request, the newest first."""
    return [(row["tags"], row["end_user"]) for row in client.instance.cli("usage", "list", *options)]


async def test_tags_of_key_and_header_are_kept_with_plain_and_streamed_requests(client: Prepared) -> None:
    assert (await ask(client))[0] == 200
    assert (await ask(client, "team=search", "feature=chat.v2"))[0] == 200
    assert (await ask(client, "team=sales,feature=mail", stream=True))[0] == 200
    assert kept(client) == [
        ("env=prod feature=mail team=sales", None),
        ("env=prod feature=chat.v2 team=search", None),
        ("env=prod", None),
    ]


async def test_header_goes_to_no_provider(client: Prepared, fake_provider: FakeProvider) -> None:
    assert (await ask(client, "team=search"))[0] == 200
    [seen] = await fake_provider.requests()
    assert HEADER not in {name.lower() for name in dict(seen["headers"])}


@pytest.mark.parametrize("tag", ["cost=7", "team", "team=a b", "team=" + "x" * 65, "env=test"])
async def test_tag_that_is_not_allowed_is_refused_before_anything_is_sent(
    client: Prepared, fake_provider: FakeProvider, tag: str
) -> None:
    status, body = await ask(client, tag)
    assert (status, body["error"]["code"]) == (400, "invalid_request")
    assert HEADER in body["error"]["message"] and "\n" not in body["error"]["message"]
    assert await fake_provider.requests() == [] and kept(client) == []


async def test_refusal_is_one_that_the_sdks_raise(client: Prepared) -> None:
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        with pytest.raises(openai.BadRequestError, match="not allowed here"):
            await sdk.chat.completions.create(**ASK, extra_headers={HEADER: "cost=7"})
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk2:
        with pytest.raises(anthropic.BadRequestError, match="not allowed here"):
            await sdk2.messages.create(**MESSAGE, extra_headers={HEADER: "cost=7"})


async def test_end_user_is_kept_as_a_digest_only_if_the_key_says_so(client: Prepared) -> None:
    assert (await ask(client, user="person-4711"))[0] == 200
    client.instance.cli("keys", "update", client.key_id, "--end-users")
    for _ in range(2):
        assert (await ask(client, user="person-4711"))[0] == 200
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
        await sdk.messages.create(**MESSAGE, metadata={"user_id": "person-4711"})
        await sdk.messages.create(**MESSAGE, metadata={"user_id": "person-4712"})
    other, *same, without = [end_user for _, end_user in kept(client)]
    assert without is None and len(set(same)) == 1 and other not in same
    assert same[0] is not None and len(same[0]) == 32
    await client.instance.stop()
    for file in client.instance.data_dir.rglob("*"):
        assert not file.is_file() or b"person-471" not in file.read_bytes(), file


async def test_usage_is_selected_and_summed_up_by_tag(client: Prepared, tmp_path: Path) -> None:
    for tag in ("team=search", "team=search", "team=sales"):
        assert (await ask(client, tag))[0] == 200
    assert (await ask(client))[0] == 200
    assert len(kept(client, "--tag", "team=search", "--tag", "env=prod")) == 2
    assert kept(client, "--tag", "team=sea") == [] and kept(client, "--tag", "am=search") == []
    summary = client.instance.cli("usage", "summary", "--by", "tag:team")
    assert {row["id"]: row["requests"] for row in summary["rows"]} == {"search": 2, "sales": 1, "": 1}
    assert sum(row["requests"] for row in summary["rows"]) == summary["total"]["requests"]
    out = tmp_path / "search.csv"
    span = ("--from", "2026-01-01", "--to", "9999-01-01")
    made = client.instance.cli("usage", "export", *span, "--tag", "team=search", "--out", str(out))
    assert made["rows"] == 2 and out.read_text().count("team=search") == 2
    corrected = client.instance.cli("usage", "list", "--tag", "team=sales")[0]
    client.instance.cli("usage", "correct", corrected["request_id"], "--charge", "0", "--note", "a test", "--yes")
    after = client.instance.cli("usage", "summary", "--by", "tag:team")
    assert {row["id"]: row["charge"] for row in after["rows"]}["sales"] == "0.00"
    assert client.instance.cli("ledger", "verify")["ok"]


async def test_limit_of_a_tag_and_of_each_end_user_holds_for_the_very_next_request(client: Prepared) -> None:
    cli = client.instance.cli
    cli("keys", "update", client.key_id, "--end-users")
    assert (await ask(client, "team=search", user="one"))[0] == 200
    shown = cli("users", "limits", client.user, "--tag", "team=search", "--spend-day", "0.00")
    assert [(each["tag"], each["spent"] != "0.00") for each in shown["limits"]] == [("team=search", True)]
    status, body = await ask(client, "team=search")
    assert (status, body["error"]["code"]) == (429, "cap_reached") and "team=search" in body["error"]["message"]
    assert (await ask(client, "team=sales", user="two"))[0] == 200 and (await ask(client))[0] == 200
    cli("users", "limits", client.user, "--tag", "team=search", "--spend-day", "none")
    assert (await ask(client, "team=search"))[0] == 200
    cli("users", "limits", client.user, "--each-end-user", "--spend-total", "0.00")
    refused = (await ask(client, user="three"))[1]["error"]
    cli("users", "limits", client.user, "--each-end-user", "--spend-total", refused["needed"])
    for user, expected in (("one", 429), ("two", 429), ("three", 200), (None, 200)):
        assert (await ask(client, **({} if user is None else {"user": user})))[0] == expected, user
    assert client.verify()["ok"]


async def test_killed_daemon_keeps_the_tags_of_open_requests(client: Prepared, fake_provider: FakeProvider) -> None:
    await fake_provider.script(told(gate="held"))
    asking = asyncio.create_task(ask(client, "team=search"))
    await fake_provider.waiting("held")
    await client.instance.kill()
    with pytest.raises(aiohttp.ClientError):
        await asking
    async with client.instance.serving(SOFTIX_RELAY_TAGS="team,feature"):
        [row] = client.instance.cli("usage", "list")
        assert (row["usage_source"], row["tags"]) == ("interrupted", "env=prod team=search")


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


async def test_requests_of_a_batch_have_its_tags_and_their_own_users(tmp_path: Path, lab: BatchLab) -> None:
    made = await prepared(tmp_path, lab.base_url, tags=("env=prod",), end_users=True)
    async with (
        made.instance.serving(SOFTIX_RELAY_TAGS="team"),
        openai.AsyncOpenAI(base_url=made.openai_url, api_key=made.key, max_retries=0) as sdk,
    ):
        lines = [
            {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {**ASK, "user": user}}
            for name, user in (("one", "u-1"), ("two", "u-2"), ("three", "u-1"))
        ]
        text = "\n".join(map(json.dumps, lines)).encode()
        file = await sdk.files.create(file=("in.jsonl", text), purpose="batch")
        batch = await sdk.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            extra_headers={HEADER: "team=search"},
        )
        lab.end()
        ended = await sdk.batches.retrieve(batch.id)
        assert ended.output_file_id is not None
        await sdk.files.content(ended.output_file_id)
        rows = kept(made)
        assert [tags for tags, _ in rows] == ["env=prod team=search"] * 3
        assert len({user for _, user in rows}) == 2 and None not in {user for _, user in rows}
