"""The words of a client's own within a batch's file: the provider gets tags, and the client's file stays as it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import charges, held, tenant

WORDS = {"prompt_cache_key": "team", "safety_identifier": "bob", "user": "ann"}
BODY: dict[str, Any] = {"model": "gpt-test", "max_tokens": 20, "messages": [{"role": "user", "content": "A — word."}]}


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


@pytest.fixture
async def house(lab: BatchLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    async with made.instance.serving():
        yield made


def sdk_of(client: Prepared) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0)


def line(name: str, **more: Any) -> bytes:
    asked = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {**BODY, **more}}
    return json.dumps(asked, ensure_ascii=False).encode()


FILE = b"\n".join((line("plain"), b"", line("one", **WORDS), line("late", **WORDS), line("bad")))


async def begin(sdk: openai.AsyncOpenAI, content: bytes = FILE) -> Any:
    file = await sdk.files.create(file=("in.jsonl", content), purpose="batch")
    return await sdk.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        extra_headers={"idempotency-key": "once"},
    )


async def test_lines_with_words_reach_the_provider_with_the_tags_of_their_key(house: Prepared, lab: BatchLab) -> None:
    one, other, sent = await tenant(house), await tenant(house), []
    for client in (one, one, other):
        async with sdk_of(client) as sdk:
            batch = await begin(sdk)
        plain, *tagged, bad = lab.requests[batch.id]
        assert (plain, bad) == (json.loads(line("plain")), json.loads(line("bad")))
        assert lab.files[lab.batches[batch.id]["input_file_id"]].startswith(line("plain") + b"\n")
        for request, name in zip(tagged, ("one", "late"), strict=True):
            assert {**request, "body": {**request["body"], **WORDS}} == json.loads(line(name, **WORDS))
            sent.append([request["body"][word] for word in WORDS])
    assert sent[0] == sent[1] == sent[2] == sent[3] and sent[4] == sent[5]
    assert len({*sent[0], *sent[4], *WORDS.values()}) == 9
    uploads, batches = (
        [
            headers
            for (method, path), headers in zip(lab.seen, lab.headers, strict=True)
            if (method, path) == ("POST", wanted)
        ]
        for wanted in ("/files", "/batches")
    )
    assert not any("idempotency-key" in headers for headers in uploads) and len(uploads) == 6
    assert all(headers["idempotency-key"] != "once" for headers in batches) and len(batches) == 3


async def test_client_sees_its_own_file_and_none_of_the_copy(house: Prepared, lab: BatchLab) -> None:
    client = await tenant(house)
    async with sdk_of(client) as sdk:
        batch = await begin(sdk)
        copy, own = lab.batches[batch.id]["input_file_id"], batch.input_file_id
        assert copy != own and lab.files[own] == FILE and len(lab.files[copy]) != len(FILE)
        assert (await sdk.files.retrieve(own)).bytes == len(FILE)
        assert (await sdk.files.content(own)).content == FILE
        assert [file.id for file in (await sdk.files.list()).data] == [own]
        for named in (sdk.files.retrieve(copy), sdk.files.content(copy), sdk.files.delete(copy)):
            with pytest.raises(openai.NotFoundError):
                await named
        assert (await sdk.batches.retrieve(batch.id)).input_file_id == own
        assert [each.input_file_id for each in (await sdk.batches.list()).data] == [own]
        lab.end()
        ended = await sdk.batches.retrieve(batch.id)
        assert ended.input_file_id == own and ended.output_file_id is not None
        assert copy in lab.files
        assert (await sdk.files.content(ended.output_file_id)).content == lab.files[ended.output_file_id]
        assert copy not in lab.files and lab.files[own] == FILE
        assert (await sdk.batches.cancel(batch.id)).input_file_id == own
    assert await held(client) == 0 and len(await charges(client)) == 2
    assert house.instance.run("ledger", "verify").code == 0


async def test_file_without_words_is_not_copied(house: Prepared, lab: BatchLab) -> None:
    async with sdk_of(await tenant(house)) as sdk:
        batch = await begin(sdk, line("one") + b"\n" + line("two", user=None))
        assert lab.batches[batch.id]["input_file_id"] == batch.input_file_id and list(lab.files) == [
            batch.input_file_id
        ]
        lab.end()
        await sdk.files.content((await sdk.batches.retrieve(batch.id)).output_file_id or "")
        assert batch.input_file_id in lab.files


async def test_word_that_is_written_with_escapes_is_tagged(house: Prepared, lab: BatchLab) -> None:
    async with sdk_of(await tenant(house)) as sdk:
        batch = await begin(sdk, line("one", user="ann").replace(b'"user": "ann"', b'"us\\u0065r": "\\u0061nn"'))
    [request] = lab.requests[batch.id]
    assert request["body"]["user"] not in ("ann", None) and "role" in request["body"]["messages"][0]


async def test_large_file_with_words_is_copied_whole(house: Prepared, lab: BatchLab) -> None:
    content = b"\n".join(line(f"n{number}", user="ann", stop="x" * 40_000) for number in range(60))
    large = line("large", user="ann", stop="x" * 2_000_000)
    async with sdk_of(await tenant(house, balance="1000")) as sdk:
        batch = await begin(sdk, content + b"\n" + large)
    requests = lab.requests[batch.id]
    assert len(requests) == 61 and len({request["body"]["user"] for request in requests}) == 1
    assert [request["body"]["stop"] for request in requests] == ["x" * 40_000] * 60 + ["x" * 2_000_000]


@pytest.mark.parametrize("refused", ["/files", "/batches"])
async def test_batch_whose_copy_or_self_is_refused_leaves_neither_hold_nor_copy(
    house: Prepared, lab: BatchLab, refused: str
) -> None:
    client = await tenant(house)

    def instead(method: str, path: str) -> web.Response | None:
        if (method, path) != ("POST", refused) or (path == "/files" and not lab.files):
            return None
        return web.json_response({"error": {"message": "no", "type": "invalid_request_error"}}, status=400)

    lab.instead = instead
    async with sdk_of(client) as sdk:
        with pytest.raises(openai.BadRequestError):
            await begin(sdk)
    assert len(lab.files) == 1 and lab.batches == {} and await held(client) == 0
