from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.batch_house import Answer, House, batch_house

from softix_proxy.dialects.batches import MOST_REQUESTS, BatchItem
from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.relay.batch import batches as module

CHAT = ENDPOINTS["chat_completions"]
NOT_AGAIN = ("x-should-retry", "false")
BODY = b'{"model": "llama", "max_tokens": 10, "messages": []}'


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


async def each(*items: BatchItem) -> AsyncGenerator[BatchItem, None]:
    for item in items:
        yield item


def call(lifecycle: House) -> UpstreamRequest:
    return UpstreamRequest(1, lifecycle.account.provider, "/v1/batches", (), b"{}", False)


async def make(lifecycle: House, *names: str) -> Any:
    asked = await lifecycle.batches.admit(lambda: lifecycle.asked(*names))
    return await lifecycle.batches.make("openai", lifecycle.caller, lifecycle.account, asked, call(lifecycle))


@pytest.mark.parametrize(
    ("told", "copied", "stored"),
    [({"input_file_id": "mine"}, False, "mine"), ({"input_file_id": "files/mine"}, False, None), ({}, False, None),
     ({"input_file_id": "copy"}, True, "mine")],
)  # fmt: skip
async def test_named_file_is_stored_unless_it_would_look_like_a_copy(
    lifecycle: House, told: dict[str, str], copied: bool, stored: str | None
) -> None:
    lifecycle.provider.says = {"/batches": Answer(200, json.dumps({"id": "b1", **told}).encode())}
    asked = await lifecycle.batches.admit(lambda: lifecycle.asked("x"))
    place = ("openai", lifecycle.caller, lifecycle.account)
    await lifecycle.batches.make(*place, asked, call(lifecycle), "mine", copied)
    batch = await lifecycle.storage.reading().batches.find(1, "b1")
    assert batch is not None and batch.input_file == stored


async def test_batch_request_read_from_the_batch_has_batch_tier_and_fixed_output_limit(lifecycle: House) -> None:
    [read] = await lifecycle.batches.read(each(BatchItem("a", CHAT, BODY)), str)
    assert (read.custom_id, read.body_bytes) == ("a", len(BODY))
    asked = RequestSpec("llama", max_output_tokens=10, limited_by=("max_tokens",))
    assert read.spec == replace(asked, service_tier="batch", adjustable=False)


async def test_batch_request_with_a_limit_that_the_provider_does_not_know_is_held_for_the_longest_answer(
    lifecycle: House,
) -> None:
    found = []
    for name in (b"max_tokens", b"n_predict"):
        reads = await lifecycle.batches.read(each(BatchItem("a", CHAT, BODY.replace(b"max_tokens", name))), str)
        [asked] = await lifecycle.batches.plan(lifecycle.caller, reads, lambda _: lifecycle.model)
        found.append(asked.intent.bound.output_tokens)
    known, unknown = found
    assert known == 10 < unknown


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
        (
            (BatchItem("a", ENDPOINTS["messages"], BODY[:-1] + b', "tools": [{"type": "web_search_20250305"}]}'),),
            "Request 1 of the batch: limit the calls of its tools",
        ),
    ],
)
async def test_batch_with_empty_repeated_or_bad_requests_is_refused(
    lifecycle: House, items: tuple[BatchItem, ...], why: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        await lifecycle.batches.read(each(*items), str)
    assert why in refused.value.message


async def test_batch_with_too_many_requests_is_refused(lifecycle: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.batch_format, "MOST_REQUESTS", 1)
    with pytest.raises(RefusedError):
        await lifecycle.batches.read(each(BatchItem("a", CHAT, BODY), BatchItem("b", CHAT, BODY)), str)
    assert MOST_REQUESTS > 1


async def test_batch_when_made_holds_for_each_request_without_a_process_slot(lifecycle: House) -> None:
    lifecycle.provider.says = {"/batches": Answer(200, b'{"id": "b1"}')}
    exchange, answer = await make(lifecycle, "x", "y")
    assert (exchange.status, answer) == (200, b'{"id": "b1"}')
    made = await lifecycle.storage.reading().batches.find(1, "b1")
    assert made is not None and made.requests == 2
    assert {line.custom_id for line in await lifecycle.open(made.id)} == {"x", "y"}
    assert await lifecycle.held_pico() == sum(line.hold_pico for line in await lifecycle.open(made.id)) > 0
    connection = lifecycle.database.connect()
    assert connection.execute("SELECT DISTINCT slot FROM intents").fetchall() == [(-1,)]
    assert connection.execute("SELECT open_requests FROM key_states").fetchall() == [(0,)]
    connection.close()


async def test_batch_with_one_unaffordable_request_is_refused_and_releases_all_holds(lifecycle: House) -> None:
    connection = lifecycle.database.connect()
    connection.execute("UPDATE wallets SET posted_pico = 1700000000 WHERE user_id = 1")
    connection.close()
    with pytest.raises(RefusedError) as refused:
        await lifecycle.batches.admit(lambda: lifecycle.asked("x", "y"))
    assert refused.value.code is Code.INSUFFICIENT_BALANCE and "this batch needs" in refused.value.message
    assert await lifecycle.held_pico() == 0


async def test_batch_admission_after_directory_change_plans_again(lifecycle: House) -> None:
    plans = 0

    async def plan() -> Any:
        nonlocal plans
        plans += 1
        asked = await lifecycle.asked("x")
        if plans == 1:
            connection = lifecycle.database.connect()
            connection.execute("UPDATE users SET name = 'lovelace' WHERE id = 1")
            connection.close()
        return asked

    assert len(await lifecycle.batches.admit(plan)) == 1 and plans == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, b"{}"),
        Answer(200, b'{"error":{"message":"no","code":503}}'),
        ProviderFault(Code.PROVIDER_UNREACHABLE, started=False),
    ],
)
async def test_batch_that_the_provider_refused_leaves_no_hold_and_no_row(lifecycle: House, answer: Any) -> None:
    lifecycle.provider.says = {"/batches": answer}
    if isinstance(answer, Answer):
        assert (await make(lifecycle, "x"))[0].status == answer.status
    else:
        with pytest.raises(RefusedError) as refused:
            await make(lifecycle, "x")
        assert NOT_AGAIN not in refused.value.headers
    assert await lifecycle.held_pico() == 0 and lifecycle.rows() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ProviderFault(Code.PROVIDER_TIMEOUT, started=True), "provider_timeout"),
        (Answer(200, b"no batch"), "provider_broke_off"),
        (Answer(200, b"{}"), "provider_broke_off"),
        (Answer(200, b""), "provider_broke_off"),
    ],
)
async def test_batch_that_the_provider_may_have_accepted_is_recorded_as_interrupted(
    lifecycle: House, answer: Any, error: str
) -> None:
    lifecycle.provider.says = {"/batches": answer}
    with pytest.raises(RefusedError) as refused:
        await make(lifecycle, "x", "y")
    assert NOT_AGAIN in refused.value.headers and refused.value.retry_after_s is None
    assert await lifecycle.held_pico() == 0
    assert [row[:3] for row in lifecycle.rows()] == [("interrupted", 504 if "timeout" in error else 502, error)] * 2


async def test_batch_with_an_id_returned_before_is_refused_and_leaves_no_new_hold(lifecycle: House) -> None:
    """As where a client's header has the provider repeat an earlier answer."""
    lifecycle.provider.says = {"/batches": Answer(200, b'{"id": "b1"}')}
    await make(lifecycle, "x")
    kept_pico = await lifecycle.held_pico()
    with pytest.raises(RefusedError) as refused:
        await make(lifecycle, "y")
    assert NOT_AGAIN in refused.value.headers
    assert [call.path for call in lifecycle.provider.calls] == ["/v1/batches"] * 2, (
        "it is not cancelled: somebody has it"
    )
    assert await lifecycle.held_pico() == kept_pico > 0
    assert [row[:3] for row in lifecycle.rows()] == [("interrupted", 503, "storage_unavailable")]


async def test_batch_admission_cancelled_halfway_leaves_no_hold(
    lifecycle: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two requests that are asked for together, one is admitted and the other still waits."""
    journal, waits = lifecycle.batches.lifecycle.journal, asyncio.Event()
    asked = await lifecycle.asked("x", "y")
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
    task = asyncio.create_task(lifecycle.batches.admit(plan))  # type: ignore[arg-type]
    await waits.wait()
    assert await lifecycle.held_pico() > 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await lifecycle.held_pico() == 0


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (Answer(200, b'{"id": "b1", "status": "cancelling"}'), "was cancelled"),
        (Answer(500, b"{}"), "Nobody knows"),
        (Answer(200, b'{"error":{"code":500}}'), "Nobody knows"),
        (ProviderFault(Code.PROVIDER_TIMEOUT, started=True), "Nobody knows"),
    ],
)
async def test_batch_that_cannot_be_recorded_is_cancelled_at_the_provider_and_refused(
    lifecycle: House, monkeypatch: pytest.MonkeyPatch, says: Any, told: str
) -> None:
    lifecycle.provider.says = {"/batches": Answer(200, b'{"id": "b1"}'), "/batches/b1/cancel": says}

    def full() -> Any:
        raise FailureError("the disk is full")

    monkeypatch.setattr(lifecycle.storage, "writing", full)
    with pytest.raises(RefusedError) as refused:
        await make(lifecycle, "x")
    assert refused.value.code is Code.STORAGE_UNAVAILABLE and told in refused.value.message
    assert NOT_AGAIN in refused.value.headers and refused.value.retry_after_s is None
    assert [(call.method, call.path) for call in lifecycle.provider.calls] == [
        ("POST", "/v1/batches"),
        ("POST", "/v1/batches/b1/cancel"),
    ]
    assert [row[:3] for row in lifecycle.rows()] == [("interrupted", 503, "storage_unavailable")]


async def test_batch_that_cannot_be_recorded_or_settled_is_refused_and_keeps_its_holds(
    lifecycle: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held is left to the next start, and the client is told the same."""
    lifecycle.provider.says = {
        "/batches": Answer(200, b'{"id": "b1"}'),
        "/batches/b1/cancel": Answer(200, b'{"id": "b1"}'),
    }

    def full(*_: Any) -> Any:
        raise FailureError("the disk is full")

    monkeypatch.setattr(lifecycle.storage, "writing", full)
    monkeypatch.setattr(lifecycle.batches.lifecycle.journal, "settle", full)
    with pytest.raises(RefusedError) as refused:
        await make(lifecycle, "x")
    assert refused.value.code is Code.STORAGE_UNAVAILABLE and NOT_AGAIN in refused.value.headers
    assert await lifecycle.held_pico() > 0 and lifecycle.rows() == []


async def test_batch_cancelled_while_being_made_leaves_no_hold(lifecycle: House) -> None:
    lifecycle.provider.says = {"/batches": asyncio.CancelledError()}
    with pytest.raises(asyncio.CancelledError):
        await make(lifecycle, "x")
    assert await lifecycle.held_pico() == 0 and [row[2] for row in lifecycle.rows()] == ["shutting_down"]
