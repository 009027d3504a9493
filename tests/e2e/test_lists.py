"""Lists of files and batches by the real SDKs, when most of what was kept is gone at the provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import ClientError
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import tenant

SAY: Any = [{"role": "user", "content": "A word."}]
BODY = {"model": "gpt-test", "max_tokens": 5, "messages": SAY}
LINE = json.dumps({"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": BODY}).encode()
PARAMS: Any = {"model": "claude-test", "max_tokens": 5, "messages": SAY}
NUMBER = 30


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


@pytest.fixture
async def client(lab: BatchLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    async with made.instance.serving():
        yield await tenant(made)


@pytest.fixture
async def sdk(client: Prepared) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
async def claude(client: Prepared) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
def google(client: Prepared) -> Any:
    options: Any = {"base_url": client.url, "retry_options": {"attempts": 1}}
    return genai.Client(api_key=client.key, http_options=options).aio


async def upload(sdk: openai.AsyncOpenAI, number: int = NUMBER) -> list[str]:
    """Their names, the newest first."""
    return [(await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id for _ in range(number)][::-1]


async def test_file_list_when_the_newest_are_gone_has_the_remaining_ones(
    sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    names = await upload(sdk)
    for name in names[:25]:
        del lab.files[name]
    assert [each.id async for each in sdk.files.list()] == names[25:]
    assert [each.id async for each in sdk.files.list(limit=2)] == names[25:]
    page = await sdk.files.list(limit=2)
    assert [each.id for each in page.data] == names[25:27] and page.has_more
    assert [each.id async for each in sdk.files.list(limit=2, order="asc")] == names[:24:-1]
    assert [each.id async for each in sdk.files.list(purpose="batch_output")] == []
    lab.files.clear()
    empty = await sdk.files.list()
    assert empty.data == [] and not empty.has_more


async def test_openai_batch_list_when_the_newest_are_gone_has_the_remaining_ones(
    sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    [file] = await upload(sdk, 1)
    make: Any = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    names = [(await sdk.batches.create(**make)).id for _ in range(6)][::-1]
    for name in names[:4]:
        del lab.batches[name]
    assert [each.id async for each in sdk.batches.list(limit=1)] == names[4:]


async def test_anthropic_batch_list_when_the_newest_are_gone_has_the_rest_in_both_directions(
    claude: anthropic.AsyncAnthropic, lab: BatchLab
) -> None:
    requests: Any = [{"custom_id": "one", "params": PARAMS}]
    names = [(await claude.messages.batches.create(requests=requests)).id for _ in range(8)][::-1]
    for name in (*names[:4], names[6]):
        del lab.batches[name]
    there = [names[4], names[5], names[7]]
    assert [each.id async for each in claude.messages.batches.list(limit=1)] == there
    page = await claude.messages.batches.list(limit=2)
    assert [each.id for each in page.data] == there[:2] and page.has_more
    assert (page.first_id, page.last_id) == (there[0], there[1])
    before = await claude.messages.batches.list(limit=1, before_id=there[2])
    assert [each.id for each in before.data] == [there[1]] and before.has_more
    assert [each.id async for each in claude.messages.batches.list(limit=1, before_id=there[2])] == [there[1], there[0]]


async def test_google_sdk_lists_reads_and_deletes_files_of_openai(
    google: Any, sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    names = await upload(sdk)
    for name in names[:25]:
        del lab.files[name]
    there = [f"files/{name}" for name in names[25:]]
    assert [file.name async for file in await google.files.list()] == there
    assert [file.name async for file in await google.files.list(config={"page_size": 2})] == there
    shown = await google.files.get(name=there[0])
    assert (shown.name, shown.display_name, shown.size_bytes) == (there[0], "a.jsonl", len(LINE))
    assert LINE in await google.files.download(file=there[0])
    await google.files.delete(name=there[0])
    assert names[25] not in lab.files
    with pytest.raises(ClientError) as missing:
        await google.files.get(name=there[0])
    assert missing.value.code == 404 and missing.value.status == "NOT_FOUND"


async def test_google_sdk_lists_reads_and_cancels_batches_of_openai(
    google: Any, sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    [file] = await upload(sdk, 1)
    make: Any = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    names = [(await sdk.batches.create(**make)).id for _ in range(3)][::-1]
    del lab.batches[names[0]]
    assert [job.name async for job in await google.batches.list()] == [f"batches/{name}" for name in names[1:]]
    assert (await google.batches.get(name=f"batches/{names[1]}")).state.name == "JOB_STATE_RUNNING"
    await google.batches.cancel(name=f"batches/{names[2]}")
    assert lab.batches[names[2]]["status"] == "cancelling"
    lab.end()
    ended = await google.batches.get(name=f"batches/{names[1]}")
    assert ended.state.name == "JOB_STATE_SUCCEEDED"
    assert b"one" in await google.files.download(file=ended.dest.file_name)


async def test_file_list_leaves_out_files_of_a_disabled_provider(
    client: Prepared, sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    await upload(sdk, 2)
    assert client.instance.run("providers", "disable", "chat-lab").code == 0
    listed = await sdk.files.list()
    assert listed.data == [] and not listed.has_more
