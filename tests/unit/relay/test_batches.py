from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.batch_house import SLOT, Answer, House, batch_house

from softix_proxy.dialects.base import Ask
from softix_proxy.dialects.batches import MOST_REQUESTS, BatchItem
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.admission import Intent
from softix_proxy.domain.errors import Code, FailureError, RefusedError
from softix_proxy.domain.upstream import ProviderFault, UpstreamRequest
from softix_proxy.relay import batches as module

CHAT = ENDPOINTS["chat_completions"]
NOT_AGAIN = ("x-should-retry", "false")
BODY = b'{"model": "llama", "max_tokens": 10, "messages": []}'


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


async def each(*items: BatchItem) -> AsyncGenerator[BatchItem, None]:
    for item in items:
        yield item


def call(house: House) -> UpstreamRequest:
    return UpstreamRequest(1, house.account.provider, "/v1/batches", (), b"{}", False)


async def make(house: House, *names: str) -> Any:
    asked = await house.batches.admit(lambda: house.asked(*names))
    return await house.batches.make("openai", house.caller, house.account, asked, call(house))


async def test_what_is_read_of_each_request(house: House) -> None:
    [read] = await house.batches.read(each(BatchItem("a", CHAT, BODY)))
    assert (read.custom_id, read.body_bytes) == ("a", len(BODY))
    assert read.ask == replace(Ask("llama", max_output_tokens=10), service_tier="batch", adjustable=False)


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((), "no requests"),
        ((BatchItem("a", CHAT, BODY), BatchItem("a", CHAT, BODY)), "Request 2 of the batch: another one"),
        (
            (BatchItem("a", CHAT, BODY[:-1] + b', "stream": true}'),),
            "Request 1 of the batch: a batch's requests do not",
        ),
        ((BatchItem("a", CHAT, b"[]"),), "Request 1 of the batch"),
    ],
)
async def test_what_makes_no_batch(house: House, items: tuple[BatchItem, ...], why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await house.batches.read(each(*items))
    assert why in refused.value.message


async def test_there_is_a_most(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.wire, "MOST_REQUESTS", 1)
    with pytest.raises(RefusedError):
        await house.batches.read(each(BatchItem("a", CHAT, BODY), BatchItem("b", CHAT, BODY)))
    assert MOST_REQUESTS > 1


async def test_all_are_held_for_and_belong_to_no_process(house: House) -> None:
    house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}')}
    exchange, answer = await make(house, "x", "y")
    assert (exchange.status, answer) == (200, b'{"id": "b1"}')
    made = await house.storage.reading().batches.find(1, "b1")
    assert made is not None and made.requests == 2
    assert {line.custom_id for line in await house.open(made.id)} == {"x", "y"}
    assert await house.held_pico() == sum(line.hold_pico for line in await house.open(made.id)) > 0
    connection = house.database.connect()
    assert connection.execute("SELECT DISTINCT slot FROM intents").fetchall() == [(-1,)]
    assert connection.execute("SELECT open_requests FROM key_states").fetchall() == [(0,)]
    connection.close()


async def test_one_that_cannot_be_paid_takes_all_back(house: House) -> None:
    connection = house.database.connect()
    connection.execute("UPDATE wallets SET posted_pico = 1700000000 WHERE user_id = 1")
    connection.close()
    with pytest.raises(RefusedError) as refused:
        await house.batches.admit(lambda: house.asked("x", "y"))
    assert refused.value.code is Code.INSUFFICIENT_BALANCE and "this batch needs" in refused.value.message
    assert await house.held_pico() == 0


async def test_it_is_planned_again_where_the_directory_changed(house: House) -> None:
    plans = 0

    async def plan() -> Any:
        nonlocal plans
        plans += 1
        asked = await house.asked("x")
        if plans == 1:
            connection = house.database.connect()
            connection.execute("UPDATE users SET name = 'lovelace' WHERE id = 1")
            connection.close()
        return asked

    assert len(await house.batches.admit(plan)) == 1 and plans == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, b"{}"),
        Answer(200, b'{"error":{"message":"no","code":503}}'),
        ProviderFault(Code.PROVIDER_UNREACHABLE, started=False),
    ],
)
async def test_what_the_provider_did_not_take_leaves_nothing(house: House, answer: Any) -> None:
    house.provider.says = {"/batches": answer}
    if isinstance(answer, Answer):
        assert (await make(house, "x"))[0].status == answer.status
    else:
        with pytest.raises(RefusedError) as refused:
            await make(house, "x")
        assert NOT_AGAIN not in refused.value.headers
    assert await house.held_pico() == 0 and house.rows() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ProviderFault(Code.PROVIDER_TIMEOUT, started=True), "provider_timeout"),
        (Answer(200, b"no batch"), "provider_broke_off"),
        (Answer(200, b"{}"), "provider_broke_off"),
        (Answer(200, b""), "provider_broke_off"),
    ],
)
async def test_what_it_may_have_taken_is_on_record(house: House, answer: Any, error: str) -> None:
    house.provider.says = {"/batches": answer}
    with pytest.raises(RefusedError) as refused:
        await make(house, "x", "y")
    assert NOT_AGAIN in refused.value.headers and refused.value.retry_after_s is None
    assert await house.held_pico() == 0
    assert [row[:3] for row in house.rows()] == [("interrupted", 504 if "timeout" in error else 502, error)] * 2


async def test_a_batch_that_was_given_out_before_leaves_no_hold(house: House) -> None:
    """As where a client's header has the provider repeat an earlier answer."""
    house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}')}
    await make(house, "x")
    kept_pico = await house.held_pico()
    with pytest.raises(RefusedError) as refused:
        await make(house, "y")
    assert NOT_AGAIN in refused.value.headers
    assert [call.path for call in house.provider.calls] == ["/v1/batches"] * 2, "it is not cancelled: somebody has it"
    assert await house.held_pico() == kept_pico > 0
    assert [row[:3] for row in house.rows()] == [("interrupted", 503, "storage_unavailable")]


async def test_who_is_cancelled_between_two_groups_leaves_no_hold(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two requests that are asked for together, one is admitted and the other still waits."""
    journal, waits = house.batches.house.journal, asyncio.Event()
    asked = await house.asked("x", "y")
    admit = journal.admit

    async def slow(intent: Intent) -> Any:
        if intent is asked[1].intent:
            await asyncio.Event().wait()
        decision = await admit(intent)
        waits.set()
        return decision

    async def plan() -> Any:
        return asked

    monkeypatch.setattr(journal, "admit", slow)
    task = asyncio.create_task(house.batches.admit(plan))  # type: ignore[arg-type]
    await waits.wait()
    assert await house.held_pico() > 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await house.held_pico() == 0


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (Answer(200, b'{"id": "b1", "status": "cancelling"}'), "was cancelled"),
        (Answer(500, b"{}"), "Nobody knows"),
        (Answer(200, b'{"error":{"code":500}}'), "Nobody knows"),
        (ProviderFault(Code.PROVIDER_TIMEOUT, started=True), "Nobody knows"),
    ],
)
async def test_books_that_cannot_be_written(
    house: House, monkeypatch: pytest.MonkeyPatch, says: Any, told: str
) -> None:
    house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}'), "/batches/b1/cancel": says}

    def full() -> Any:
        raise FailureError("the disk is full")

    monkeypatch.setattr(house.storage, "writing", full)
    with pytest.raises(RefusedError) as refused:
        await make(house, "x")
    assert refused.value.code is Code.STORAGE_UNAVAILABLE and told in refused.value.message
    assert NOT_AGAIN in refused.value.headers and refused.value.retry_after_s is None
    assert [(call.method, call.path) for call in house.provider.calls] == [
        ("POST", "/v1/batches"),
        ("POST", "/v1/batches/b1/cancel"),
    ]
    assert [row[:3] for row in house.rows()] == [("interrupted", 503, "storage_unavailable")]


async def test_books_that_cannot_be_written_at_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is left to the next start, and the client is told the same."""
    house.provider.says = {"/batches": Answer(200, b'{"id": "b1"}'), "/batches/b1/cancel": Answer(200, b'{"id": "b1"}')}

    def full(*_: Any) -> Any:
        raise FailureError("the disk is full")

    monkeypatch.setattr(house.storage, "writing", full)
    monkeypatch.setattr(house.batches.house.journal, "settle", full)
    with pytest.raises(RefusedError) as refused:
        await make(house, "x")
    assert refused.value.code is Code.STORAGE_UNAVAILABLE and NOT_AGAIN in refused.value.headers
    assert await house.held_pico() > 0 and house.rows() == []


async def test_who_is_cancelled_leaves_no_hold(house: House) -> None:
    house.provider.says = {"/batches": asyncio.CancelledError()}
    with pytest.raises(asyncio.CancelledError):
        await make(house, "x")
    assert await house.held_pico() == 0 and [row[2] for row in house.rows()] == ["shutting_down"]


def test_the_slot_of_a_process_is_none_of_the_parked() -> None:
    assert SLOT >= 0
