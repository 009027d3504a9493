"""Batches by the real SDKs: held for when made, charged when read, once, and never beyond the hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import charges, held, rows, tenant

from softix_proxy.domain.access.keys import KeyLimits

PARAMS: Any = {"model": "claude-test", "max_tokens": 20, "messages": [{"role": "user", "content": "A secret word."}]}
COST = "-0.00002"
"""10 tokens for $1 and 5 for $2 a million."""


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
async def client(house: Prepared) -> Prepared:
    return await tenant(house)


def openai_of(client: Prepared) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0)


def anthropic_of(client: Prepared) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0)


def lines(*names: str, **more: Any) -> bytes:
    body = {"model": "gpt-test", "max_tokens": 20, "messages": PARAMS["messages"], **more}
    listed = [{"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body} for name in names]
    return "\n".join(map(json.dumps, listed)).encode()


async def begin(sdk: openai.AsyncOpenAI, *names: str, **more: Any) -> Any:
    file = await sdk.files.create(file=("in.jsonl", lines(*names, **more)), purpose="batch")
    return await sdk.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")


async def begin_inline(sdk: anthropic.AsyncAnthropic, *names: str, **more: Any) -> Any:
    return await sdk.messages.batches.create(
        requests=[{"custom_id": name, "params": {**PARAMS, **more}} for name in names]
    )


def verified(client: Prepared) -> bool:
    return client.instance.run("ledger", "verify").code == 0


async def test_openai_batch_is_held_when_made_and_charged_when_read(client: Prepared, lab: BatchLab) -> None:
    async with openai_of(client) as sdk:
        batch = await begin(sdk, "one", "two", "bad", "late")
        kept_pico = await held(client)
        assert kept_pico > 0 and await rows(client) == [] and verified(client)
        assert (await sdk.batches.retrieve(batch.id)).status == "in_progress"
        lab.end()
        ended = await sdk.batches.retrieve(batch.id)
        assert ended.output_file_id is not None and ended.error_file_id is not None
        content = await sdk.files.content(ended.output_file_id)
        assert content.content == lab.files[ended.output_file_id]
        assert b"one" in content.content and (await sdk.files.content(ended.error_file_id)).content
        assert [each.id for each in (await sdk.batches.list()).data] == [batch.id]
        assert batch.input_file_id in [each.id for each in (await sdk.files.list()).data]
    assert await held(client) == 0 and await charges(client) == [COST, COST]
    found = await rows(client)
    assert {(row["usage_source"], row["status_code"]) for row in found} == {
        ("provider", 200),
        ("none", 400),
        ("none", 499),
    }
    assert len(found) == 4 and {row["service_tier"] for row in found} == {"batch"} and verified(client)


async def test_anthropic_batch_is_held_when_made_and_charged_when_read(client: Prepared, lab: BatchLab) -> None:
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one", "two", "bad", "late")
        assert await held(client) > 0 and await rows(client) == []
        lab.end()
        results = [result async for result in await sdk.messages.batches.results(batch.id)]
        assert [(each.custom_id, each.result.type) for each in results] == [
            ("one", "succeeded"),
            ("two", "succeeded"),
            ("bad", "errored"),
        ]
        assert [each.id async for each in sdk.messages.batches.list()] == [batch.id]
        await sdk.messages.batches.delete(batch.id)
    assert await held(client) == 0 and await charges(client) == [COST, COST] and len(await rows(client)) == 4
    assert verified(client)
    keys = {headers.get("x-api-key") for headers in lab.headers}
    assert keys and client.key not in keys and not any(client.key in str(headers) for headers in lab.headers)


async def test_batch_results_read_concurrently_are_charged_once(client: Prepared, lab: BatchLab) -> None:
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one", "two")
        lab.end()
        await asyncio.gather(*(sdk.messages.batches.results(batch.id) for _ in range(5)))
    assert await charges(client) == [COST, COST] and verified(client)


async def test_batch_of_another_user_is_not_found_and_not_requested_from_the_provider(
    house: Prepared, client: Prepared, lab: BatchLab
) -> None:
    other = await tenant(house)
    async with openai_of(client) as mine, openai_of(other) as theirs, anthropic_of(other) as theirs_too:
        batch = await begin(mine, "one")
        lab.end()
        ended = await mine.batches.retrieve(batch.id)
        assert ended.output_file_id is not None
        seen = len(lab.seen)
        for attempt in (
            theirs.batches.retrieve(batch.id),
            theirs.batches.cancel(batch.id),
            theirs.files.retrieve(batch.input_file_id),
            theirs.files.content(ended.output_file_id),
            theirs.files.delete(batch.input_file_id),
            theirs.batches.create(
                input_file_id=batch.input_file_id, endpoint="/v1/chat/completions", completion_window="24h"
            ),
        ):
            with pytest.raises(openai.NotFoundError):
                await attempt
        with pytest.raises(anthropic.NotFoundError):
            await theirs_too.messages.batches.retrieve(batch.id)
        assert (await theirs.batches.list()).data == [] and (await theirs.files.list()).data == []
        assert len(lab.seen) == seen


async def test_batch_above_the_balance_is_refused_with_its_amounts(house: Prepared, lab: BatchLab) -> None:
    poor = await tenant(house, balance="0.003")
    async with anthropic_of(poor) as sdk:
        with pytest.raises(anthropic.RateLimitError) as refused:
            await begin_inline(sdk, "one", "two", "three")
        assert refused.value.body["error"]["needed"] > refused.value.body["error"]["available"]  # type: ignore[index]
        assert "this batch needs" in str(refused.value)
        assert (await held(poor), await rows(poor), lab.batches) == (0, [], {}) and verified(poor)
        assert (await begin_inline(sdk, "one")).id in lab.batches


async def test_batch_that_cannot_be_metered_is_refused_and_not_sent(client: Prepared, lab: BatchLab) -> None:
    async with openai_of(client) as sdk, anthropic_of(client) as other:
        with pytest.raises(openai.BadRequestError, match="purpose"):
            await sdk.files.create(file=("a.txt", b"hello"), purpose="user_data")
        for more, why in (({"model": "no-such"}, "Request 1 of the batch"), ({"stream": True}, "do not stream")):
            with pytest.raises(openai.APIStatusError, match=why):
                await begin(sdk, "one", **more)
        with pytest.raises(openai.BadRequestError, match="custom_id"):
            await begin(sdk, "one", "one")
        with pytest.raises(anthropic.NotFoundError, match="Request 1"):
            await begin_inline(other, "one", model="gpt-test")
        with pytest.raises(anthropic.BadRequestError, match="share one account"):
            await other.beta.files.upload(file=("a.txt", b"hello"))
    assert lab.batches == {} and await held(client) == 0


async def test_batch_of_a_model_beside_a_disabled_one_is_sent(client: Prepared, house: Prepared, lab: BatchLab) -> None:
    """A line names it as the provider does, and so may another of softix's names."""
    add = ("models", "add", "other", "--provider", "chat-lab", "--upstream-name", "gpt-test", "--free")
    assert house.instance.run(*add).code == 0 and house.instance.run("models", "disable", "other").code == 0
    async with openai_of(client) as sdk:
        await begin(sdk, "one")
    assert len(lab.batches) == 1 and await held(client) > 0


async def test_batch_that_the_provider_refuses_costs_nothing(client: Prepared, lab: BatchLab) -> None:
    lab.refusing = 400
    async with anthropic_of(client) as sdk:
        with pytest.raises(anthropic.BadRequestError):
            await begin_inline(sdk, "one", "two")
    assert await held(client) == 0 and await rows(client) == [] and verified(client)


async def test_batch_that_has_not_ended_is_not_deleted(client: Prepared, lab: BatchLab) -> None:
    """Between the look whether it has ended and the deletion it may end, and would cost nothing."""
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one")
        with pytest.raises(anthropic.NotFoundError, match="not ended"):
            await sdk.messages.batches.delete(batch.id)
        assert batch.id in lab.batches and "DELETE" not in {method for method, _ in lab.seen}
        lab.end()
        await sdk.messages.batches.delete(batch.id)
    assert await charges(client) == [COST] and await held(client) == 0


@pytest.mark.parametrize("words", [{}, {"user": "ann"}], ids=["as it is", "copied"])
async def test_input_file_of_a_batch_that_is_not_metered_is_not_deleted(
    client: Prepared, lab: BatchLab, words: dict[str, str]
) -> None:
    """Where results report no usage, the requests are estimated by the file."""
    async with openai_of(client) as sdk:
        batch = await begin(sdk, "one", **words)
        other = await sdk.files.create(file=("in.jsonl", lines("two")), purpose="batch")
        with pytest.raises(openai.BadRequestError, match="not ended"):
            await sdk.files.delete(batch.input_file_id)
        assert batch.input_file_id in lab.files and await charges(client) == []
        await sdk.files.delete(other.id)
        lab.end()
        assert (await sdk.batches.retrieve(batch.id)).input_file_id == batch.input_file_id
        await sdk.files.delete(batch.input_file_id)
    assert await charges(client) == [COST] and await held(client) == 0
    assert batch.input_file_id not in lab.files


async def test_batch_whose_key_is_revoked_while_its_file_is_read_is_refused(client: Prepared, lab: BatchLab) -> None:
    async def revoke() -> None:
        [key] = await asyncio.to_thread(client.instance.cli, "keys", "list", "--user", client.user)
        await asyncio.to_thread(client.instance.cli, "keys", "revoke", key["id"], "--yes")

    async with openai_of(client) as sdk:
        file = await sdk.files.create(file=("in.jsonl", lines("one")), purpose="batch")
        lab.before_content = revoke
        with pytest.raises(openai.AuthenticationError):
            await sdk.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert lab.batches == {} and await held(client) == 0


async def test_lost_batch_is_settled_once_by_the_operator_with_confirmation(client: Prepared, lab: BatchLab) -> None:
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one", "two")
    kept_pico = await held(client)
    refused = client.instance.run("batches", "settle", batch.id)
    assert refused.code == 2 and "--yes" in refused.stderr and await held(client) == kept_pico
    settled = client.instance.cli("batches", "settle", batch.id, "--yes")
    assert (settled["batch"], settled["requests"], settled["charged"]) == (batch.id, 2, "0.00")
    assert round(float(settled["released"]) * 10**12) == kept_pico and await held(client) == 0
    assert {(row["usage_source"], row["error"]) for row in await rows(client)} == {("interrupted", "lost")}
    assert verified(client)
    again = client.instance.run("batches", "settle", batch.id, "--yes")
    assert again.code == 1 and "is waited for" in again.stderr
    lab.end()
    async with anthropic_of(client) as sdk:
        await sdk.messages.batches.results(batch.id)
    assert len(await rows(client)) == 2 and await charges(client) == []


async def test_batch_charge_above_the_hold_takes_what_the_balance_has(client: Prepared, lab: BatchLab) -> None:
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one")
        kept_pico = await held(client)
        lab.tokens = (10_000_000, 5_000_000)
        lab.end()
        await sdk.messages.batches.results(batch.id)
    [row] = await rows(client)
    charged_pico = round(float(row["charge"]) * 10**12)
    assert "above_hold" in row["note"] and charged_pico > kept_pico
    after = client.balance()
    assert after["held"] == "0.00" and not after["balance"].startswith("-")
    assert ("limited_to_balance" in row["note"]) == (after["balance"] == "0.00")
    [bound] = client.instance.cli("bounds", "list")
    assert bound["times"] == 1 and verified(client)


async def test_batch_that_nobody_reads_is_metered_by_the_daemon(lab: BatchLab, tmp_path: Path) -> None:
    made = await prepared(tmp_path, lab.base_url)
    async with made.instance.serving(SOFTIX_UPSTREAM_BATCH_POLL_S="0.05"):
        client = await tenant(made)
        async with anthropic_of(client) as sdk:
            await begin_inline(sdk, "one", "late")
            [shown] = made.instance.cli("batches", "list")
            assert (shown["requests"], shown["open_requests"]) == (2, 2) and shown["metered_at"] is None
            lab.end()
            while await held(client):
                await asyncio.sleep(0.02)
        assert await charges(client) == [COST]
        assert made.instance.cli("batches", "list") == []
        [shown] = made.instance.cli("batches", "list", "--all")
        assert shown["metered_at"] is not None and shown["held"] == "0.00"


async def test_batch_after_a_crash_keeps_its_hold_and_is_charged_once(
    client: Prepared, house: Prepared, lab: BatchLab
) -> None:
    """The holds outlive the daemon, and no start takes them for those of a dead process."""
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "one", "two")
    kept_pico = await held(client)
    await house.instance.kill()
    await house.instance.start()
    assert await held(client) == kept_pico and await rows(client) == [] and verified(client)
    lab.end()
    async with anthropic_of(client) as sdk:
        await sdk.messages.batches.results(batch.id)
    assert await charges(client) == [COST, COST] and await held(client) == 0 and verified(client)


async def test_batch_does_not_use_up_a_concurrency_limit(house: Prepared, lab: BatchLab) -> None:
    one_at_once = await tenant(house, limits=KeyLimits(concurrency=1))
    async with anthropic_of(one_at_once) as sdk:
        await begin_inline(sdk, *(f"r{number}" for number in range(300)))
        assert (await begin_inline(sdk, "one")).id in lab.batches
    assert verified(one_at_once)


async def test_batch_contents_and_custom_ids_are_not_stored(client: Prepared, house: Prepared, lab: BatchLab) -> None:
    async with anthropic_of(client) as sdk:
        batch = await begin_inline(sdk, "my-own-name")
        lab.end()
        await sdk.messages.batches.results(batch.id)
    kept = b"".join(path.read_bytes() for path in house.instance.data_dir.rglob("*") if path.is_file())
    assert b"secret word" not in kept and b"my-own-name" not in kept and batch.id.encode() in kept


async def test_batch_whose_line_names_a_thing_of_another_is_not_made(
    house: Prepared, client: Prepared, lab: BatchLab
) -> None:
    async with openai_of(client) as sdk:
        theirs = (await sdk.files.create(file=("in.jsonl", lines("one")), purpose="batch")).id
    other = await tenant(house)
    named: Any = [{"role": "user", "content": [{"type": "file", "file": {"file_id": theirs}}]}]
    async with openai_of(other) as sdk:
        with pytest.raises(openai.NotFoundError) as refused:
            await begin(sdk, "one", messages=named)
        assert refused.value.code == "object_not_found"
    async with anthropic_of(other) as messages:
        params: Any = {**PARAMS, "container": "container_of_another"}
        with pytest.raises(anthropic.NotFoundError):
            await messages.messages.batches.create(requests=[{"custom_id": "one", "params": params}])
    assert lab.batches == {} and await held(other) == 0
    async with openai_of(client) as sdk:
        assert (await begin(sdk, "one", messages=named)).id in lab.batches


async def test_batch_above_the_cap_of_its_model_is_refused_and_the_cap_counts_what_it_costs(
    house: Prepared, lab: BatchLab
) -> None:
    """A limit a minute for the model does not apply to it, as none of the whole key does."""
    client = await tenant(house)
    softix = house.instance.cli
    softix("keys", "limits", client.key_id, "--model", "claude-*", "--spend-total", "0.0001", "--rpm", "1")
    async with anthropic_of(client) as sdk:
        with pytest.raises(anthropic.RateLimitError) as refused:
            await begin_inline(sdk, "one")
        assert "cap of $0.0001 for claude-* of this API key is reached: this batch needs" in str(refused.value)
        assert (await held(client), lab.batches) == (0, {})
        softix("keys", "limits", client.key_id, "--model", "claude-*", "--spend-total", "1.00")
        batch = await begin_inline(sdk, "one", "two")
        [limit] = softix("keys", "show", client.key_id)["limits"]
        assert limit["held"] > "0.00" and limit["spent"] == "0.00"
        lab.end()
        assert len([result async for result in await sdk.messages.batches.results(batch.id)]) == 2
    [limit] = softix("keys", "show", client.key_id)["limits"]
    assert (limit["held"], limit["spent"]) == ("0.00", "0.00004") and verified(client)
