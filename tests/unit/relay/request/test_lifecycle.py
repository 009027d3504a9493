import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support import labs
from support.playbook import (
    ANSWER,
    HELLO,
    KEY,
    MICRO,
    PLAIN,
    STREAM,
    USER,
    Exchange,
    Stage,
)

from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.relay.request.bound import TEMPLATE_TOKENS


@pytest.fixture
def stage() -> Stage:
    return Stage()


# The daemon stops, or fails


async def test_request_cancelled_at_shutdown_is_settled_as_interrupted(stage: Stage) -> None:
    reached = asyncio.Event()
    stage.upstream.answer = reached.set
    task = asyncio.create_task(stage.serve(PLAIN))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.INTERRUPTED, "shutting_down")
    assert stage.settlement.status_code == 503


async def test_stream_cancelled_at_shutdown_is_estimated(stage: Stage) -> None:
    reached = asyncio.Event()
    exchange = stage.streams(HELLO, reached.set, HELLO)
    task = asyncio.create_task(stage.serve(STREAM))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stage.settled_once()
    assert stage.settlement.source is UsageSource.ESTIMATE and exchange.script


async def test_internal_error_during_stream_is_settled_and_raised(stage: Stage) -> None:
    def break_down() -> None:
        raise KeyError("ours")

    stage.streams(HELLO, break_down)
    with pytest.raises(KeyError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert stage.settlement.error == "internal"


async def test_settlement_that_cannot_be_written_does_not_change_the_refusal(stage: Stage) -> None:
    stage.journal.failure = FailureError("a settlement could not be written", "the next start closes it")
    stage.upstream.answer = ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
    assert (await stage.refused()).code is Code.PROVIDER_UNREACHABLE
    stage.settled_once()


async def test_lifecycle_identify_returns_the_caller_or_is_refused(stage: Stage) -> None:
    caller = await stage.lifecycle.identify("good", "10.0.0.1")
    assert (caller.user, caller.key) == (USER, KEY)
    with pytest.raises(RefusedError):
        await stage.lifecycle.identify(None, "10.0.0.1")


async def test_disconnect_before_anything_is_sent_costs_nothing(stage: Stage) -> None:
    stage.upstream.connecting = stage.client.hang_up
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert not stage.upstream.calls and stage.settlement.error == "client_hung_up"
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)


async def test_disconnect_during_admission_stops_the_request_before_sending(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.client, "when_gone", lambda notice: notice())
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM)
    stage.settled_once()
    assert not stage.upstream.calls and stage.settlement.source is UsageSource.NONE


async def test_refusal_after_admission_has_the_cost_header(stage: Stage) -> None:
    stage.upstream.answer = ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
    told = dict((await stage.refused()).headers)
    assert told["x-softix-cost-usd"] == "0.00" and float(told["x-softix-overhead-ms"]) >= 0


# The hold


@pytest.mark.parametrize(
    ("charge", "retries", "targets", "times"),
    [
        ("never", 0, 2, 1),
        ("never", 1, 2, 1),
        ("provider-billed", 0, 1, 1),
        ("provider-billed", 0, 2, 2),
        ("provider-billed", 0, 3, 3),
        ("provider-billed", 1, 2, 4),
        ("provider-billed", 9, 3, 6),
    ],
)
async def test_hold_covers_each_attempt_that_may_be_charged(
    charge: Any, retries: int, targets: int, times: int
) -> None:
    """At the price of the dearest target, up to the most attempts that there may be."""
    at = labs.stage(models=labs.MODELS[:targets])
    at.policy = replace(at.policy, charge_failed_attempts=charge, retries=retries, most_attempts=6)
    at.upstream.answer = Exchange(ANSWER)
    await at.serve(PLAIN)
    dearest = 1 if targets == 1 else 10
    once_pico = dearest * ((len(PLAIN) + TEMPLATE_TOKENS) * MICRO + 50 * 2 * MICRO) + len(METERS)
    assert at.settlement.hold_pico == times * once_pico
