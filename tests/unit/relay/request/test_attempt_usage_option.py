"""A provider that refuses to be asked for the usage of a stream."""

import json
from dataclasses import replace

import pytest
from support import labs
from support.playbook import (
    ASK,
    DONE,
    HELLO,
    JSON,
    LAB,
    MICRO,
    SSE,
    STOP,
    STREAM,
    USAGE,
    Exchange,
    Stage,
)

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.routing.directory import Changes
from softix_proxy.relay.core.inbound import ClientGoneError


@pytest.fixture
def stage() -> Stage:
    return Stage()


UNASKED = json.dumps({**ASK, "stream": True}).encode()
REFUSAL = b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs"}]}'


def refuses(status: int = 422, body: bytes = REFUSAL) -> Exchange:
    return Exchange(body, status=status, headers=JSON)


def streamed(*frames: bytes) -> Exchange:
    return Exchange(*(frames or (HELLO, STOP, DONE)), headers=SSE)


def answers(stage: Stage, *exchanges: Exchange) -> None:
    stage.upstream.answers = {"lab": list(exchanges)}


def has_option(stage: Stage) -> list[bool]:
    return ["stream_options" in json.loads(call.body) for call in stage.upstream.calls]


@pytest.mark.parametrize("status", [400, 422])
async def test_stream_refused_for_the_added_usage_option_is_retried_once_without_it(stage: Stage, status: int) -> None:
    answers(stage, refuses(status), streamed())
    await stage.serve(UNASKED)
    stage.settled_once()
    assert stage.client.body == HELLO + STOP + DONE and stage.client.status == 200
    assert has_option(stage) == [True, False]
    settlement = stage.settlement
    assert (settlement.source, settlement.status_code, settlement.error) == (UsageSource.ESTIMATE, 200, None)
    assert 0 < settlement.charge_pico <= settlement.hold_pico
    [failed] = settlement.failed
    assert (failed.status_code, failed.source, failed.charge_pico, failed.cost_pico) == (status, UsageSource.NONE, 0, 0)
    [stats] = stage.target_pool.stats()
    assert (stats.failures, stats.breaker.failures, stats.in_flight) == (0, 0, 0)


async def test_usage_option_refused_by_a_provider_is_left_out_until_the_provider_changes(stage: Stage) -> None:
    answers(stage, refuses(), streamed(), streamed(), streamed(HELLO, STOP, USAGE, DONE))
    await stage.serve(UNASKED)
    stage.client.begun = False
    await stage.serve(json.dumps({**ASK, "stream": True, "stream_options": {"include_usage": False}}).encode())
    assert has_option(stage) == [True, False, False], "nor is the client's own passed, which asks for nothing"
    assert stage.journal.settlements[1].failed == ()
    fresh = replace(LAB, name="lab")
    stage.directories.versions = [Changes(8, providers=(fresh,))]
    await stage.directory.refresh()
    stage.client.begun = False
    await stage.serve(UNASKED)
    assert has_option(stage)[3:] == [True]
    assert stage.journal.settlements[2].source is UsageSource.PROVIDER


async def test_attempt_refused_for_the_usage_option_is_never_charged(stage: Stage) -> None:
    stage.policy = replace(stage.policy, charge_failed_attempts="provider-billed")
    answers(stage, refuses(), streamed(HELLO, STOP, USAGE, DONE))
    await stage.serve(UNASKED)
    assert stage.settlement.charge_pico == 17 * MICRO and stage.settlement.failed[0].charge_pico == 0


async def test_stream_refused_for_the_usage_option_of_the_client_is_not_retried(stage: Stage) -> None:
    answers(stage, refuses())
    await stage.serve(STREAM)
    stage.settled_once()
    assert (stage.client.status, stage.client.body) == (422, REFUSAL) and stage.settlement.failed == ()


@pytest.mark.parametrize(
    "refusal",
    [refuses(400, b'{"error":{"message":"temperature is too high"}}'), refuses(500), refuses(413)],
    ids=["another field", "500", "413"],
)
async def test_stream_refused_for_another_reason_is_not_retried(stage: Stage, refusal: Exchange) -> None:
    answers(stage, refusal)
    await stage.serve(UNASKED)
    stage.settled_once()
    assert has_option(stage) == [True] and stage.client.status == refusal.status


async def test_stream_refused_without_the_usage_option_too_passes_the_error_and_keeps_the_option(stage: Stage) -> None:
    answers(stage, refuses(), refuses(), streamed())
    await stage.serve(UNASKED)
    stage.settled_once()
    assert has_option(stage) == [True, False] and (stage.client.status, stage.client.body) == (422, REFUSAL)
    assert stage.settlement.charge_pico == 0
    await stage.serve(UNASKED)
    assert has_option(stage)[2:] == [True]


async def test_stream_refused_for_the_usage_option_after_disconnect_is_not_retried(stage: Stage) -> None:
    def leaves() -> None:
        stage.client.gone = True

    answers(stage, Exchange(leaves, REFUSAL, status=422, headers=JSON))
    with pytest.raises(ClientGoneError):
        await stage.serve(UNASKED)
    stage.settled_once()
    assert len(stage.upstream.calls) == 1 and stage.settlement.charge_pico == 0


async def test_translated_stream_refused_for_the_usage_option_is_retried_without_it(stage: Stage) -> None:
    asked = json.dumps({**ASK, "stream": True}).encode()
    answers(stage, refuses(400), streamed(), streamed())
    await stage.serve(asked, "messages")
    assert b"event: message_stop" in stage.client.body
    assert has_option(stage) == [True, False]
    stage.client.begun = False
    await stage.serve(asked, "messages")
    assert has_option(stage) == [True, False, False]


async def test_request_with_dropped_fields_is_sent_without_them() -> None:
    stage = Stage(providers=(replace(LAB, drop_fields=("stream_options", "parallel_tool_calls")),))
    answers(stage, streamed())
    body = {**ASK, "stream": True, "stream_options": {"include_usage": True}, "parallel_tool_calls": False, "user": "a"}
    await stage.serve(json.dumps(body).encode())
    [call] = stage.upstream.calls
    assert list(json.loads(call.body)) == ["model", "messages", "max_tokens", "stream", "user", "max_completion_tokens"]
    assert stage.journal.settlements[0].source is UsageSource.ESTIMATE


async def test_stream_retried_without_the_usage_option_that_breaks_off_moves_to_another_target() -> None:
    both = replace(LAB, type=ProviderType.OPENAI)
    at = labs.stage(providers=(both, labs.OTHER, labs.THIRD))
    at.policy = replace(at.policy, interrupted_charge="bound", charge_failed_attempts="provider-billed")
    at.upstream.answers = {"lab": [refuses(400), labs.fault(Code.PROVIDER_BROKE_OFF)], "two": [streamed()]}
    only_chat_stops = {**ASK, "stream": True, "stop_sequences": ["end"]}
    await at.serve(json.dumps(only_chat_stops).encode(), "messages")
    at.settled_once()
    assert [call.path for call in at.upstream.calls] == ["/v1/chat/completions"] * 3
    refused, broken = at.settlement.failed
    assert (refused.charge_pico, refused.source) == (0, UsageSource.NONE)
    assert (broken.source, broken.provider_id) == (UsageSource.INTERRUPTED, 1)
    assert 0 < broken.charge_pico == broken.bound_pico
