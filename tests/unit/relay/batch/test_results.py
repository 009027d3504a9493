from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.batch_house import Answer, House, batch_house
from support.books import POSTED_PICO

from softix_proxy.dialects.batches import digest
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.batches import Batch
from softix_proxy.domain.metering.text_tokens import count_tokens
from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.metering import usage

CHARGE_PICO = 10 * 500_000 + 5 * 1_000_000
"""By the prices of batches."""


@pytest.fixture
async def lifecycle(tmp_path: Path) -> AsyncIterator[House]:
    async with batch_house(tmp_path) as made:
        yield made


def result(custom_id: str, **usage: int) -> bytes:
    body = {"model": "llama", "usage": usage or {"prompt_tokens": 10, "completion_tokens": 5}}
    return json.dumps({"custom_id": custom_id, "response": {"status_code": 200, "body": body}}).encode() + b"\n"


async def begun(lifecycle: House, *names: str, endpoint: str = "chat_completions") -> Batch:
    lifecycle.provider.says = {"/batches": Answer(200, b'{"id": "b1"}')}
    asked = await lifecycle.batches.admit(lambda: lifecycle.asked(*map(digest, names), endpoint=endpoint))
    call = UpstreamRequest(1, lifecycle.account.provider, "/v1/batches", (), b"{}", False)
    await lifecycle.batches.make("openai", lifecycle.caller, lifecycle.account, asked, call)
    batch = await lifecycle.storage.reading().batches.find(1, "b1")
    assert batch is not None
    return batch


def ended(lifecycle: House, *content: bytes, **more: Any) -> None:
    told = {"id": "b1", "status": "completed", "output_file_id": "f1", **more}
    lifecycle.provider.says = {"/b1": Answer(200, json.dumps(told).encode()), "/f1/content": Answer(200, *content)}


async def test_batch_results_are_charged_at_batch_prices(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x", "y")
    whole = result("x") + result("y") + result("who") + b"no result\n"
    ended(lifecycle, whole[:30], whole[30:31], whole[31:-1])
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("provider", 200, None, CHARGE_PICO, "batch")] * 2
    assert await lifecycle.held_pico() == 0 and await lifecycle.open(batch.id) == [] and len(lifecycle.told) == 2


async def test_batch_result_with_zero_usage_is_estimated_from_its_text(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    told = {"model": "llama", "choices": [{"message": {"content": " word" * 175}}]}
    body = told | {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
    ended(lifecycle, json.dumps({"custom_id": "x", "response": {"status_code": 200, "body": body}}).encode())
    assert await lifecycle.results.collect(batch)
    [(source, _, _, charge_pico, _)] = lifecycle.rows()
    assert (source, charge_pico) == ("estimate", 175 * 1_000_000)
    assert lifecycle.told[0][0].note == "implausible_usage"


async def test_batch_result_with_region_mode_is_recorded_with_batch_and_that_mode(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x", endpoint="messages")
    usage = {"input_tokens": 10, "output_tokens": 5, "service_tier": "batch", "inference_geo": "us"}
    body = {"model": "llama", "usage": usage, "content": []}
    ended(lifecycle, json.dumps({"custom_id": "x", "response": {"status_code": 200, "body": body}}).encode())
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("provider", 200, None, CHARGE_PICO, "batch+us")]
    assert lifecycle.told[0][0].note == "unpriced:service_tier"


async def test_batch_collected_twice_is_charged_once(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, result("x"))
    assert await lifecycle.results.collect(batch)
    asked = len(lifecycle.provider.calls)
    assert await lifecycle.results.collect(batch)
    assert len(lifecycle.rows()) == 1 and len(lifecycle.provider.calls) == asked


async def test_batch_in_progress_keeps_its_hold_and_has_no_rows(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    lifecycle.provider.says = {"/b1": Answer(200, b'{"id": "b1", "status": "in_progress"}')}
    assert not await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [] and await lifecycle.held_pico() > 0


async def test_batch_cancelled_before_running_costs_nothing(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x", "y")
    ended(lifecycle, status="cancelled", output_file_id=None)
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("none", 499, "not_run", 0, "batch")] * 2


@pytest.mark.parametrize("where", ["/b1", "/f1/content"])
async def test_batch_missing_at_the_provider_for_an_hour_is_recorded_as_lost(lifecycle: House, where: str) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, b"")
    lifecycle.provider.says[where] = Answer(404, b"{}")
    lifecycle.clock.us += 3600 * SECOND_US - 1
    with pytest.raises(ProviderFault):  # it may yet come to know it
        await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [] and await lifecycle.held_pico() > 0
    lifecycle.clock.us += 1
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("interrupted", 404, "lost", 0, "batch")]


async def test_batch_request_completed_without_result_is_recorded_as_lost(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x", "y")
    ended(lifecycle, result("x") * 2, request_counts={"total": 2, "completed": 2, "failed": 0})
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("provider", 200, None, CHARGE_PICO, "batch"), ("interrupted", 404, "lost", 0, "batch")]


async def test_lost_batch_with_interrupted_charge_bound_is_charged_its_hold(tmp_path: Path) -> None:
    async with batch_house(tmp_path, interrupted_charge="bound") as lifecycle:
        batch = await begun(lifecycle, "x")
        [line] = await lifecycle.open(batch.id)
        lifecycle.provider.says = {"/b1": Answer(404, b"{}")}
        lifecycle.clock.us += 3600 * SECOND_US
        assert await lifecycle.results.collect(batch)
        assert lifecycle.rows() == [("interrupted", 404, "lost", line.hold_pico, "batch")]


@pytest.mark.parametrize(
    "says",
    [
        {"/b1": Answer(500, b"{}")},
        {"/b1": Answer(200, b"no batch")},
        {"/b1": Answer(200, b'{"error":{"message":"busy","code":503}}')},
        {"/b1": ProviderFault(Code.PROVIDER_TIMEOUT, started=True)},
    ],
)
async def test_batch_collection_after_provider_failure_succeeds_later(lifecycle: House, says: Any) -> None:
    batch = await begun(lifecycle, "x")
    lifecycle.provider.says = says
    with pytest.raises(ProviderFault):
        await lifecycle.results.collect(batch)
    ended(lifecycle, result("x"))
    assert await lifecycle.results.collect(batch) and len(lifecycle.rows()) == 1


async def test_batch_results_that_failed_to_load_are_collected_later(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x", "y")
    ended(lifecycle, result("x"))
    lifecycle.provider.says["/f1/content"] = Answer(503, b"")
    with pytest.raises(ProviderFault):
        await lifecycle.results.collect(batch)
    assert lifecycle.rows() == []
    ended(lifecycle, result("x"), result("y"))
    assert await lifecycle.results.collect(batch) and len(lifecycle.rows()) == 2


SILENT_BODY = {"model": "llama", "choices": [{"message": {"content": " word" * 100}}]}
QUESTION = {"model": "llama", "max_tokens": 60, "messages": [{"role": "user", "content": "y" * 300}]}


def answered(custom_id: str, body: object, status: int = 200) -> bytes:
    return json.dumps({"custom_id": custom_id, "response": {"status_code": status, "body": body}}).encode() + b"\n"


def asked(*custom_ids: str) -> bytes:
    line = {"method": "POST", "url": "/v1/chat/completions", "body": QUESTION}
    return b"\n".join(json.dumps({"custom_id": name, **line}).encode() for name in custom_ids)


def counted(lifecycle: House) -> list[tuple[Any, ...]]:
    connection = lifecycle.database.connect()
    found: list[tuple[Any, ...]] = connection.execute(
        "SELECT input_tokens, output_tokens, note FROM usage ORDER BY id"
    ).fetchall()
    connection.close()
    return found


async def test_batch_result_without_usage_is_estimated_from_request_and_response(lifecycle: House) -> None:
    """As one of a request is: counted from what was asked and answered, and no more than its limit."""
    batch = await begun(lifecycle, "x", "y")
    ended(lifecycle, answered("x", SILENT_BODY) + result("y"), input_file_id="f0")
    lifecycle.provider.says["/f0/content"] = Answer(200, b"no request\n" + asked("who", "x"), b"\n" + asked("y"))
    assert await lifecycle.results.collect(batch)
    tokens = count_tokens(json.dumps(QUESTION))
    assert counted(lifecycle) == [(10, 5, None), (tokens, 60, None)]
    charge_pico = tokens * 500_000 + 60 * 1_000_000
    assert lifecycle.rows()[1] == ("estimate", 200, None, charge_pico, "batch")
    assert await lifecycle.held_pico() == 0 and await lifecycle.open(batch.id) == []


@pytest.mark.parametrize("says", [{}, {"/f0/content": Answer(404, b"{}")}, {"/f0/content": Answer(200, asked("who"))}])
async def test_batch_result_without_usage_and_request_is_noted_as_input_unknown(lifecycle: House, says: Any) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, answered("x", SILENT_BODY), **({"input_file_id": "f0"} if says else {}))
    lifecycle.provider.says |= says
    assert await lifecycle.results.collect(batch)
    tokens = 100
    assert counted(lifecycle) == [(None, tokens, "input_unknown")]
    assert lifecycle.rows() == [("estimate", 200, None, tokens * 1_000_000, "batch")]


async def test_batch_result_without_usage_waits_for_the_failing_input_file(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, answered("x", SILENT_BODY), input_file_id="f0")
    lifecycle.provider.says["/f0/content"] = ProviderFault(Code.PROVIDER_TIMEOUT, started=True)
    with pytest.raises(ProviderFault):
        await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [] and await lifecycle.held_pico() > 0
    lifecycle.provider.says["/f0/content"] = Answer(200, asked("x"))
    assert await lifecycle.results.collect(batch) and lifecycle.rows()[0][0] == "estimate"


@pytest.mark.parametrize(
    ("body", "status", "row"),
    [
        ({"error": {"message": "no", "code": 503}}, 200, (503, "provider_overloaded")),
        ({"choices": None}, 200, (502, "provider_no_answer")),
        ({"error": {"message": "no", "type": "invalid_request_error"}}, 400, (400, "provider_invalid_request")),
    ],
)
async def test_batch_result_with_error_costs_nothing(
    lifecycle: House, body: Any, status: int, row: tuple[int, str]
) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, answered("x", body, status), request_counts={"completed": int(status == 200)})
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("none", *row, 0, "batch")]


async def test_batch_result_with_error_and_usage_is_charged_for_the_usage(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    ended(lifecycle, answered("x", {"choices": [{"finish_reason": "error", "error": {"code": 502}}], "usage": usage}))
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("provider", 502, "provider_fault", CHARGE_PICO, "batch")]


async def test_batch_result_above_its_hold_is_charged_as_far_as_the_balance_reaches(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    [line] = await lifecycle.open(batch.id)
    ended(lifecycle, result("x", prompt_tokens=10**8, completion_tokens=10**8))
    assert await lifecycle.results.collect(batch)
    assert lifecycle.rows() == [("provider", 200, None, POSTED_PICO, "batch")] and line.hold_pico < POSTED_PICO
    [(settlement, *_)] = lifecycle.told
    assert (settlement.charge_pico, settlement.note) == (POSTED_PICO, "above_hold limited_to_balance")
    [bound] = await lifecycle.storage.reading().bounds.list()
    asked_pico = 10**8 * 500_000 + 10**8 * 1_000_000
    assert (bound.missing_pico, bound.uncharged_pico) == (asked_pico - line.hold_pico, asked_pico - POSTED_PICO)


async def test_batch_after_an_excess_is_held_for_more(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    [line] = await lifecycle.open(batch.id)
    ended(lifecycle, result("x", prompt_tokens=10**5, completion_tokens=10**5))
    await lifecycle.results.collect(batch)
    await lifecycle.batches.lifecycle.directory.refresh()
    lifecycle.provider.says["/batches"] = Answer(200, b'{"id": "b2"}')
    asked = await lifecycle.batches.admit(lambda: lifecycle.asked(digest("y")))
    call = UpstreamRequest(1, lifecycle.account.provider, "/v1/batches", (), b"{}", False)
    await lifecycle.batches.make("openai", lifecycle.caller, lifecycle.account, asked, call)
    later = await lifecycle.storage.reading().batches.find(1, "b2")
    assert later is not None
    [wider] = await lifecycle.open(later.id)
    assert wider.hold_pico >= 10**5 * 500_000 + 10**5 * 1_000_000 > line.hold_pico
    assert wider.widened_pico == wider.hold_pico - line.hold_pico > 0


async def test_batch_result_of_postpaid_user_is_charged_above_its_hold(lifecycle: House) -> None:
    """As the user is when the results are read."""
    batch = await begun(lifecycle, "x")
    [line] = await lifecycle.open(batch.id)
    connection = lifecycle.database.connect()
    connection.execute("UPDATE users SET postpaid = 1 WHERE id = 1")
    connection.execute("UPDATE wallets SET posted_pico = held_pico WHERE user_id = 1")  # no more than is held
    connection.close()
    await lifecycle.batches.lifecycle.directory.refresh()
    ended(lifecycle, result("x", prompt_tokens=10**6, completion_tokens=10**6))
    assert await lifecycle.results.collect(batch)
    charge_pico = 10**6 * 500_000 + 10**6 * 1_000_000
    assert charge_pico > line.hold_pico
    assert lifecycle.rows() == [("provider", 200, None, charge_pico, "batch")]
    assert lifecycle.told[0][0].note == "above_hold" and await lifecycle.held_pico() == 0


@pytest.mark.parametrize("status", ["completed", "cancelled", "lost"])
async def test_batch_hold_too_precise_for_a_float_is_released_exactly(lifecycle: House, status: str) -> None:
    above = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "1", "request": "9007.199254740994"}}]})
    async with lifecycle.storage.writing() as unit:
        at_us = lifecycle.clock.now_us()
        await unit.prices.add_all([PriceVersion(0, 1, None, "operator", above, at_us, at_us)])
    connection = lifecycle.database.connect()
    connection.execute("UPDATE wallets SET posted_pico = ?", (10**17,))
    connection.close()
    await lifecycle.batches.lifecycle.directory.refresh()
    batch = await begun(lifecycle, "x")
    [line] = await lifecycle.open(batch.id)
    assert 2**53 < line.hold_pico < 2**54 and line.hold_pico % 2, "no float is this number"
    ended(lifecycle, result("x", prompt_tokens=10**9), **({} if status == "completed" else {"output_file_id": None}))
    if status == "lost":
        lifecycle.provider.says["/b1"] = Answer(404, b"{}")
        lifecycle.clock.us += 3600 * SECOND_US
    assert await lifecycle.results.collect(batch)
    [(settlement, *_)] = lifecycle.told
    assert settlement.hold_pico == line.hold_pico and await lifecycle.held_pico() == 0
    asked_pico = 10**9 * 1_000_000 + 9007_199_254_740_994
    assert settlement.charge_pico == (asked_pico if status == "completed" else 0)


async def test_batch_of_removed_provider_is_recorded_as_lost(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    connection = lifecycle.database.connect()
    connection.execute("UPDATE providers SET status = 'removed'")
    connection.close()
    await lifecycle.batches.lifecycle.directory.refresh()
    assert await lifecycle.results.collect(batch)
    assert [row[:3] for row in lifecycle.rows()] == [("interrupted", 404, "lost")]


async def test_batch_result_file_is_found_only_by_its_user(lifecycle: House) -> None:
    batch = await begun(lifecycle, "x")
    ended(lifecycle, result("x"))
    await lifecycle.results.collect(batch)
    file = await lifecycle.storage.reading().batches.find_file(1, "f1")
    assert file is not None and file.batch_id == batch.id
    assert await lifecycle.storage.reading().batches.find_file(2, "f1") is None


async def test_batch_result_with_customer_price_has_its_cost_at_the_operator_price(lifecycle: House) -> None:
    own = PriceSheet.parse({"bands": [{"prices": {"input": "7", "output": "9", "request": "0.5"}}]})
    async with lifecycle.storage.writing() as unit:
        at_us = lifecycle.clock.now_us()
        await unit.prices.add_all([PriceVersion(0, 1, lifecycle.caller.user.id, "customer", own, at_us, at_us)])
    await lifecycle.batches.lifecycle.directory.refresh()
    batch = await begun(lifecycle, "x")
    ended(lifecycle, result("x"))
    assert await lifecycle.results.collect(batch)
    [row] = await lifecycle.storage.reading().usage.newest(UsageFilter(), 9)
    assert (row.cost_pico, row.charge_pico) == (CHARGE_PICO, (10 * 7 + 5 * 9) * 10**6 + 5 * 10**11)
    assert (row.price_id, row.cost_price_id, row.note) == (2, 1, "unpriced:service_tier")


async def test_batch_is_charged_at_a_price_made_while_the_clock_was_ahead(lifecycle: House) -> None:
    """It was in force when the batch was made, though by the clock it starts later."""
    dearer = PriceSheet.parse({"bands": [{"prices": {"input": "2", "output": "4"}}]})
    async with lifecycle.storage.writing() as unit:
        at_us = lifecycle.clock.now_us() + 300 * DAY_US
        await unit.prices.add_all([PriceVersion(0, 1, None, "operator", dearer, at_us, at_us)])
    await lifecycle.batches.lifecycle.directory.refresh()
    batch = await begun(lifecycle, "x")
    ended(lifecycle, result("x"))
    assert await lifecycle.results.collect(batch)
    [row] = await lifecycle.storage.reading().usage.newest(UsageFilter(), 9)
    assert (row.price_id, row.charge_pico) == (2, (10 * 2 + 5 * 4) * 10**6)
    assert (await usage.explain(lifecycle.storage, format_request_id(row.request_id))).agrees
