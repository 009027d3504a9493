"""A client that hangs up, at every point."""

import asyncio
from dataclasses import replace

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

from softix_proxy.domain.metering.usage import UsageSource
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
    assert len(exchange.script) == 8 and stage.settlement.source is UsageSource.ESTIMATE


async def test_disconnect_after_whole_response_in_place_of_stream_is_charged_by_its_usage() -> None:
    """The answer came to its end before the client could have anything of it."""
    at = labs.stage()
    at.upstream.answers = {"lab": [Exchange(ANSWER, headers=SSE)]}
    at.client.gone_at = "begin"
    with pytest.raises(ClientGoneError):
        await at.serve(STREAM)
    at.settled_once()
    assert (at.settlement.source, at.settlement.charge_pico) == (UsageSource.PROVIDER, 17 * MICRO)
