from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import KEY, LAB, SECRET
from support.talk import Talking

from softix_proxy.domain.access.keys import KeyLimits, ModelRate
from softix_proxy.domain.access.objects import AccountPlace, ObjectRef
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Denied
from softix_proxy.domain.ports.upstream import ProviderFault

BROKE_OFF = ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
UNUSED = ("none", 0, None)
EXACT = ("provider", 150, None)


@asynccontextmanager
async def running(talking: Talking) -> AsyncIterator[asyncio.Task[Code | None]]:
    """Ends when the session has."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(talking.run())
        yield task


async def respond(talking: Talking, number: str) -> None:
    talking.guest.put("response.create")
    assert (await talking.line.told())["type"] == "response.create"
    talking.line.begins(number)
    assert (await talking.guest.told())["type"] == "response.created"


async def test_realtime_last_event_of_a_response_is_sent_after_its_settlement() -> None:
    talking = Talking()
    async with running(talking) as task:
        for number in ("one", "two"):
            await respond(talking, number)
            talking.line.ends(number)
            assert (await talking.guest.told())["type"] == "response.done"
        talking.guest.leave()
    assert talking.journal.story == [*["response.created", "settled", "response.done"] * 2, "settled"]
    assert task.result() is None and talking.line.aborted and talking.guest.closed == 1000
    assert talking.settled() == [EXACT, EXACT, UNUSED]
    assert all(intent.endpoint == "realtime" for intent in talking.journal.intents)


async def test_realtime_response_begun_by_the_provider_is_settled_with_its_own_hold() -> None:
    talking = Talking()
    async with running(talking):
        talking.line.begins("heard")
        talking.line.ends("heard")
        assert [(await talking.guest.told())["type"] for _ in range(2)] == ["response.created", "response.done"]
        talking.guest.leave()
    assert talking.settled() == [EXACT, UNUSED]


async def test_realtime_session_ends_when_the_next_hold_is_denied() -> None:
    talking = Talking()
    async with running(talking) as task:
        await respond(talking, "one")
        talking.journal.decisions = [Denied(Code.CAP_REACHED)]
        talking.line.ends("one")
        assert (await talking.guest.told())["type"] == "response.done"
        assert (await talking.guest.told())["error"]["code"] == "cap_reached"
    assert task.result() is Code.CAP_REACHED
    assert talking.guest.closed == 1008 and talking.line.aborted
    assert [each.error for each in talking.journal.settlements] == [None]


async def test_realtime_response_beside_another_is_admitted_or_refused() -> None:
    talking = Talking()
    async with running(talking):
        await respond(talking, "one")
        await respond(talking, "two")
        assert len(talking.journal.intents) == 2
        talking.journal.decisions = [Denied(Code.CONCURRENCY_LIMITED)]
        talking.guest.put("response.create", event_id="mine")
        error = (await talking.guest.told())["error"]
        assert (error["code"], error["event_id"]) == ("concurrency_limited", "mine")
        talking.line.ends("two")
        talking.line.ends("one")
        assert [(await talking.guest.told())["response"]["id"] for _ in range(2)] == ["two", "one"]
        talking.guest.leave()
    assert talking.settled() == [EXACT, EXACT, UNUSED]


async def test_realtime_response_outside_the_conversation_has_a_separate_hold() -> None:
    talking = Talking()
    async with running(talking):
        talking.guest.put("response.create", response={"conversation": "none"})
        await talking.line.told()
        assert len(talking.journal.intents) == 2
        talking.line.begins("apart")
        talking.line.begins("heard")
        talking.line.ends("apart")
        talking.line.ends("heard")
        for _ in range(4):
            await talking.guest.told()
        talking.guest.leave()
    assert talking.settled() == [EXACT, EXACT, UNUSED]


async def test_realtime_response_refused_by_the_provider_releases_its_hold() -> None:
    talking = Talking()
    async with running(talking):
        talking.guest.put("response.create", event_id="mine")
        await talking.line.told()
        talking.line.put("error", error={"code": "rate_limit_exceeded", "event_id": "mine"})
        assert (await talking.guest.told())["type"] == "error"
        await respond(talking, "one")
        assert len(talking.journal.intents) == 1
        talking.guest.put("response.create", event_id="other")
        await talking.line.told()
        talking.line.put("error", error={"code": "rate_limit_exceeded", "event_id": "other"})
        assert (await talking.guest.told())["type"] == "error"
        talking.line.ends("one")
        await talking.guest.told()
        talking.guest.leave()
    assert talking.settled() == [("none", 0, "provider_rate_limited"), EXACT, UNUSED]


async def test_realtime_response_refused_after_a_disconnect_has_the_provider_s_error() -> None:
    talking = Talking()
    async with running(talking):
        talking.guest.put("response.create", event_id="mine", response={"conversation": "none"})
        await talking.line.told()
        talking.guest.leave()
        talking.line.put("error", error={"code": "rate_limit_exceeded", "event_id": "mine"})
    assert talking.settled() == [("none", 0, "provider_rate_limited"), UNUSED]


async def test_realtime_disconnect_during_response_cancels_it_and_charges_the_final_report() -> None:
    talking = Talking()
    async with running(talking):
        await respond(talking, "one")
        talking.guest.leave()
        cancelled = await talking.line.told()
        assert cancelled == {"type": "response.cancel", "response_id": "one"}
        talking.line.ends("one", status="cancelled")
    assert talking.settled() == [("provider", 150, "client_hung_up")]


async def test_realtime_disconnect_with_draining_provider_reads_the_response_to_its_end() -> None:
    talking = Talking(providers=(replace(LAB, on_hang_up="drain"),))
    async with running(talking):
        await respond(talking, "one")
        talking.guest.leave()
        talking.line.ends("one")
    assert talking.line.outbox.empty()
    assert talking.settled() == [("provider", 150, "client_hung_up")]


async def test_realtime_response_broken_off_by_the_provider_is_estimated() -> None:
    talking = Talking()
    async with running(talking) as task:
        talking.guest.put("conversation.item.create", item={"type": "message", "content": "x" * 352})
        await talking.line.told()
        await respond(talking, "one")
        talking.line.put("response.output_text.delta", response_id="one", delta="x" * 40)
        await talking.guest.told()
        talking.line.inbox.put_nowait(BROKE_OFF)
        assert (await talking.guest.told())["error"]["code"] == "provider_broke_off"
    assert task.result() is Code.PROVIDER_BROKE_OFF and talking.guest.closed == 1011
    [(source, tokens, error)] = talking.settled()
    assert (source, error) == ("estimate", "provider_broke_off") and 100 < tokens < 150


async def test_realtime_response_with_zero_usage_is_estimated_from_its_content() -> None:
    talking = Talking()
    async with running(talking):
        talking.guest.put("conversation.item.create", item={"type": "message", "content": "x" * 352})
        await talking.line.told()
        await respond(talking, "one")
        talking.line.put("response.output_text.delta", response_id="one", delta="x" * 40)
        await talking.guest.told()
        talking.line.ends("one", usage={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0})
        assert (await talking.guest.told())["type"] == "response.done"
        talking.guest.leave()
    (source, tokens, error), *_ = talking.settled()
    assert (source, error) == ("estimate", None) and 100 < tokens < 150
    assert talking.journal.settlements[0].note == "implausible_usage"


@pytest.mark.parametrize("letters", [0, 40])
async def test_realtime_response_that_failed_is_charged_only_for_what_was_sent(letters: int) -> None:
    talking = Talking()
    failed = {"status": "failed", "usage": None, "status_details": {"error": {"code": "rate_limit_exceeded"}}}
    async with running(talking):
        await respond(talking, "one")
        if letters:
            talking.line.put("response.output_text.delta", response_id="one", delta="x" * letters)
            await talking.guest.told()
        talking.line.ends("one", **failed)
        await talking.guest.told()
        talking.guest.leave()
    (source, tokens, error), unused = talking.settled()
    assert (source, error, unused) == ("estimate" if letters else "none", "provider_rate_limited", UNUSED)
    assert (tokens > 0) == bool(letters)


async def test_realtime_session_when_idle_ends_without_charge() -> None:
    talking = Talking()
    talking.policy = replace(talking.policy, session_idle_s=0.01)
    async with running(talking) as task:
        assert (await talking.guest.told())["error"]["code"] == "request_timeout"
    assert task.result() is Code.REQUEST_TIMEOUT
    assert talking.settled() == [UNUSED]


async def test_realtime_event_that_is_not_allowed_is_refused_and_the_session_continues() -> None:
    talking = Talking()
    async with running(talking):
        talking.guest.put("transcription_session.update", event_id="mine")
        assert (await talking.guest.told())["error"]["code"] == "endpoint_not_metered"
        talking.guest.inbox.put_nowait(b"{not json " + SECRET.encode())
        told = await talking.guest.told()
        assert told["error"]["code"] == "invalid_request" and SECRET not in str(told)
        talking.guest.put("input_audio_buffer.clear")
        assert (await talking.line.told())["type"] == "input_audio_buffer.clear"
        talking.guest.leave()
    assert talking.settled() == [UNUSED]


async def test_realtime_session_when_cancelled_is_settled() -> None:
    talking = Talking()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(talking.run())
            await respond(talking, "one")
            task.cancel()
            await task
    [(source, _, error)] = talking.settled()
    assert (source, error) == ("estimate", "shutting_down") and talking.line.aborted


@pytest.mark.parametrize(("rule", "passes"), [("pass", True), ("strip", False), ("refuse", False)])
async def test_realtime_event_with_unknown_members_follows_the_rule_of_its_provider(rule: Any, passes: bool) -> None:
    talking = Talking(providers=(replace(LAB, unknown_members=rule),))
    async with running(talking):
        talking.guest.put("session.update", session={"type": "realtime", "wombat": SECRET})
        if passes:
            assert (await talking.line.told())["type"] == "session.update"
        else:
            told = await talking.guest.told()
            assert told["error"]["code"] == "invalid_request" and SECRET not in str(told)
        talking.guest.leave()
    assert talking.settled() == [UNUSED]


async def test_realtime_event_that_names_a_thing_of_another_is_not_sent() -> None:
    talking = Talking()
    tunnel = {"tools": [{"type": "mcp", "server_label": "l", "tunnel_id": "t"}]}
    events = [
        ("session.update", {"session": tunnel}),
        ("session.update", {"session": {"audio": {"output": {"voice": {"id": "v"}}}}}),
        ("response.create", {"response": {"tools": [{"type": "mcp", "server_label": "l", "connector_id": "c"}]}}),
        (
            "conversation.item.create",
            {"item": {"type": "message", "content": [{"type": "input_image", "file_id": "f"}]}},
        ),
    ]
    async with running(talking):
        for kind, part in events:
            talking.guest.put(kind, event_id="mine", **part)
            error = (await talking.guest.told())["error"]
            assert (error["code"], error["event_id"]) == ("object_not_found", "mine")
        talking.journal.places[ObjectRef("tunnel", "t")] = AccountPlace(LAB.id, "")
        talking.guest.put("session.update", session=tunnel)
        assert (await talking.line.told())["session"] == tunnel
        talking.guest.leave()
    assert talking.settled() == [UNUSED]


async def test_realtime_response_counts_in_the_limits_of_its_model_and_a_refusal_names_them() -> None:
    rates = (ModelRate("gpt-*", 1, None), ModelRate("llama", None, 9))
    talking = Talking(keys=(replace(KEY, limits=KeyLimits(model_rates=rates)),))
    async with running(talking):
        await respond(talking, "one")
        talking.journal.decisions = [Denied(Code.TOKENS_LIMITED, 1, limit="9 tokens a minute for llama")]
        talking.line.ends("one")
        assert (await talking.guest.told())["type"] == "response.done"
        error = (await talking.guest.told())["error"]
        assert error["code"] == "tokens_limited" and error["message"].endswith("9 tokens a minute for llama.")
    assert {intent.limits.model_rates for intent in talking.journal.intents} == {rates[1:]}
    assert all(intent.tokens_bound > 0 for intent in talking.journal.intents)
