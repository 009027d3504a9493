"""Files for batches, by OpenAI's SDK: each is its user's alone, and none but those of batches are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import rows, tenant

LINE = b'{"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-test"}}'
NOBODYS = "There is none of this name, or it is not yours."


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


@pytest.fixture
async def house(lab: BatchLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    async with made.instance.serving():
        yield made


@pytest.fixture
async def sdk(house: Prepared) -> AsyncIterator[openai.AsyncOpenAI]:
    client = await tenant(house)
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        yield sdk


async def test_batch_file_is_kept_shown_read_listed_and_deleted(sdk: openai.AsyncOpenAI, lab: BatchLab) -> None:
    names = [(await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id for _ in range(3)]
    assert LINE in lab.files[names[0]]
    assert (await sdk.files.retrieve(names[0])).id == names[0]
    assert LINE in (await sdk.files.content(names[0])).content
    assert {each.id async for each in sdk.files.list(limit=2)} == set(names)
    assert (await sdk.files.delete(names[0])).deleted and names[0] not in lab.files
    with pytest.raises(openai.NotFoundError):
        await sdk.files.retrieve(names[0])
    assert {each.id for each in (await sdk.files.list()).data} == set(names[1:])


async def test_query_parameter_of_a_file_request_that_is_not_listed_is_not_sent(
    sdk: openai.AsyncOpenAI, lab: BatchLab
) -> None:
    name = (await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id
    await sdk.files.retrieve(name, extra_query={"account": "another", "api-version": "preview"})
    assert lab.seen[-1] == ("GET", f"/files/{name}") and lab.queries[-1] == "api-version=preview"


async def test_file_upload_costs_nothing(house: Prepared, sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.files.with_raw_response.create(file=("in.jsonl", LINE), purpose="batch")
    assert answer.headers["x-softix-cost-usd"] == "0.00" and await rows(house) == []


async def test_file_of_another_user_is_not_found(house: Prepared, sdk: openai.AsyncOpenAI, lab: BatchLab) -> None:
    name = (await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id
    other, seen = await tenant(house), len(lab.seen)
    async with openai.AsyncOpenAI(base_url=other.openai_url, api_key=other.key, max_retries=0) as theirs:
        for ask in (theirs.files.retrieve, theirs.files.content, theirs.files.delete):
            with pytest.raises(openai.NotFoundError, match=NOBODYS):
                await ask(name)
        assert (await theirs.files.list()).data == []
    assert len(lab.seen) == seen and name in lab.files


async def test_file_with_another_purpose_is_refused(sdk: openai.AsyncOpenAI, lab: BatchLab) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.files.create(file=("in.txt", LINE), purpose="assistants")
    assert refused.value.code == "endpoint_not_metered" and lab.seen == []


async def test_file_upload_without_balance_or_credit_is_refused(house: Prepared, lab: BatchLab) -> None:
    poor = await tenant(house, balance="")
    async with openai.AsyncOpenAI(base_url=poor.openai_url, api_key=poor.key, max_retries=2) as sdk:
        with pytest.raises(openai.RateLimitError) as refused:
            await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")
        assert refused.value.code == "insufficient_balance" and lab.seen == []
        assert house.instance.run("balance", "credit-limit", poor.user_id, "1.00").code == 0
        assert (await sdk.files.create(file=("in.jsonl", LINE), purpose="batch")).id in lab.files


async def test_file_upload_to_an_unknown_provider_is_refused(sdk: openai.AsyncOpenAI, lab: BatchLab) -> None:
    with pytest.raises(openai.NotFoundError, match="x-softix-provider"):
        await sdk.files.create(file=("in.jsonl", LINE), purpose="batch", extra_headers={"x-softix-provider": "nowhere"})
    assert lab.seen == []
