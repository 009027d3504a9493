"""A client that hangs up, at every point."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support import labs
from support.playbook import (
    ANSWER,
    DONE,
    HELLO,
    LAB,
    MICRO,
    SSE,
    STOP,
    STREAM,
    USAGE,
    Exchange,
    Stage,
)

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.core.inbound import ClientGoneError


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("gone_at", ["begin", "send", "end"])
async def test_disconnect_during_cancellable_stream_stops_reading_and_is_settled(stage: Stage, gone_at: str) -> None:
    exchange = stage.streams(HELLO, HELLO, USAGE + DONE)
    stage.client.gone_at = gone_at
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert bool(exchange.script) is (gone_at != "end")  # read no further
    expected = (UsageSource.PROVIDER, None) if gone_at == "end" else (UsageSource.ESTIMATE, "client_hung_up")
    assert (stage.settlement.source, stage.settlement.error) == expected


async def test_disconnect_notice_during_stream_aborts_the_provider_call(stage: Stage) -> None:
    exchange = stage.streams(HELLO, stage.client.hang_up, HELLO, DONE)
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert exchange.aborted
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.ESTIMATE, "client_hung_up")
    assert stage.settlement.status_code == 200


async def test_disconnect_notice_before_the_response_is_settled_with_status_499(stage: Stage) -> None:
    stage.upstream.answer = stage.client.hang_up
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert stage.settlement.status_code == 499
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_disconnect_after_the_model_has_stopped_waits_for_the_usage_report(stage: Stage) -> None:
    exchange = stage.streams(HELLO, STOP, stage.client.hang_up, USAGE, DONE)
    stage.client.gone_at, stage.client.gone_after_sends = "send", 1
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert not exchange.aborted
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, None)


async def test_disconnect_with_draining_provider_charges_the_whole_stream(stage: Stage) -> None:
    stage = Stage(providers=(replace(LAB, on_hang_up="drain"),))
    exchange = stage.streams(HELLO, HELLO, STOP + USAGE, DONE)
    stage.client.gone_at = "send"
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert stage.client.notice is None and not exchange.script
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, "client_hung_up")


async def test_disconnect_with_draining_provider_reads_at_most_the_drain_limit(stage: Stage) -> None:
    stage = Stage(providers=(replace(LAB, on_hang_up="drain"),))
    stage.policy = replace(stage.policy, drain_limit_bytes=len(HELLO) + 1)
    exchange = stage.streams(*[HELLO] * 10, DONE)
    stage.client.gone_at = "send"
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert len(exchange.script) == 8
    assert (stage.settlement.source, stage.settlement.note) == (UsageSource.INTERRUPTED, "end_unseen")
    assert stage.settlement.charge_pico == stage.settlement.hold_pico > 0


async def test_disconnect_after_whole_response_in_place_of_stream_is_charged_by_its_usage() -> None:
    """The answer came to its end before the client could have anything of it."""
    at = labs.stage()
    at.upstream.answers = {"lab": [Exchange(ANSWER, headers=SSE)]}
    at.client.gone_at = "begin"
    with pytest.raises(ClientGoneError):
        await at.serve(STREAM)
    at.settled_once()
    assert (at.settlement.source, at.settlement.charge_pico) == (UsageSource.PROVIDER, 17 * MICRO)


# A cost that can be out of sight

HIDDEN = STREAM.replace(b'"model"', b'"web_thing": 1, "model"')
BOUND_PICO = 10_000 * MICRO + 50 * 2 * MICRO


def hidden(**policy: Any) -> Stage:
    stage = Stage()
    stage.policy = replace(stage.policy, **policy)
    return stage


async def test_disconnect_from_a_stream_that_can_hide_its_cost_reads_it_to_its_end(stage: Stage) -> None:
    exchange = stage.streams(HELLO, HELLO, STOP + USAGE, DONE)
    stage.client.gone_at = "send"
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    assert stage.client.notice is None and not exchange.script and not exchange.aborted
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, "client_hung_up")
    assert stage.settlement.charge_pico == 17 * MICRO


@pytest.mark.parametrize("end", [ProviderFault(Code.PROVIDER_BROKE_OFF, started=True), HELLO])
async def test_disconnect_from_a_hidden_cost_whose_end_is_not_seen_charges_the_bound(end: Any) -> None:
    stage = hidden(drain_limit_bytes=2 * len(HELLO))
    stage.streams(HELLO, HELLO, end, HELLO, USAGE + DONE)
    stage.client.gone_at = "send"
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    found = stage.settlement
    assert (found.source, found.note, found.error) == (UsageSource.INTERRUPTED, "end_unseen", "client_hung_up")
    assert found.charge_pico == found.hold_pico > 0 and found.meters == {}


async def test_disconnect_from_a_hidden_cost_with_the_setting_bound_stops_the_provider_and_charges_the_bound() -> None:
    stage = hidden(hidden_on_hang_up="bound")
    exchange = stage.streams(HELLO, stage.client.hang_up, HELLO, USAGE + DONE)
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    assert exchange.aborted
    assert (stage.settlement.source, stage.settlement.note) == (UsageSource.INTERRUPTED, "end_unseen")
    assert stage.settlement.charge_pico == stage.settlement.hold_pico > 0


async def test_disconnect_before_the_response_waits_for_it_if_its_cost_can_be_hidden(stage: Stage) -> None:
    exchange = stage.streams(HELLO, STOP + USAGE, DONE)
    stage.client.gone_at = "begin"
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    assert not exchange.script and stage.settlement.charge_pico == 17 * MICRO


async def test_disconnect_after_the_client_fell_behind_reads_the_stream_to_its_end(stage: Stage) -> None:
    """What waits in the buffers on the way was produced as well."""
    exchange = stage.streams(HELLO, HELLO, stage.client.hang_up, HELLO, STOP + USAGE, DONE)
    stage.client.slow = True
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert not exchange.aborted and not exchange.script
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, "client_hung_up")


async def test_sdk_that_leaves_a_hidden_cost_at_the_end_has_no_error_in_its_row(stage: Stage) -> None:
    stage.streams(HELLO, STOP, stage.client.vanish, USAGE, DONE)
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, None)


async def test_provider_that_refuses_after_the_client_left_costs_nothing(stage: Stage) -> None:
    stage.streams(b'data: {"error":{"message":"no"}}\n\n', DONE)
    stage.client.gone_at = "begin"
    with pytest.raises(ClientGoneError):
        await stage.serve(HIDDEN)
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)
