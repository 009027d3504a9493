"""What follows an attempt that failed: another key, another target, another round; and what is booked of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from support.books import USD
from support.labs import MODELS, OTHER, ROUTE, SECOND, THIRD, error, fault, stage
from support.playbook import (
    ANSWER,
    DONE,
    HELLO,
    LAB,
    MICRO,
    PLAIN,
    SSE,
    STOP,
    STREAM,
    USAGE,
    Exchange,
    Stage,
)

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Allowance
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.routing.routes import RouteLeg
from softix_proxy.relay.core.inbound import ClientGoneError

SAFE = {
    **{f"{status}": (lambda status=status: error(status)) for status in (429, 500, 502, 503, 504, 529, 401, 402, 403)},
    "unreachable": lambda: fault(Code.PROVIDER_UNREACHABLE, False),
    "no first byte": lambda: fault(Code.PROVIDER_TIMEOUT),
    "broke off before its head": lambda: fault(Code.PROVIDER_BROKE_OFF),
    "broke off within its answer": lambda: Exchange(b'{"us', fault(Code.PROVIDER_BROKE_OFF)),
    **{
        f"{body!r} with a good status": (lambda body=body: Exchange(body))
        for body in (
            *(b'{"error":{"message":"no","code":%d}}' % number for number in (401, 429, 502, 503)),
            b'{"error":{"message":"no"}}',
            b'{"choices":[{"finish_reason":"error","error":{"code":502}}]}',
            b'{"choices":null}',
            b"<html>wait</html>",
            b"",
        )
    },
}


@pytest.mark.parametrize("what", SAFE)
async def test_retry_after_safe_failure_uses_another_target_and_charges_its_price(what: str) -> None:
    at = stage()
    at.upstream.answers = {"lab": [SAFE[what]()], "two": [Exchange(ANSWER)]}
    await at.serve(PLAIN)
    at.settled_once()
    assert at.upstream.asked == ["lab", "two"] and at.client.body == ANSWER
    assert {call.body for call in at.upstream.calls} == {PLAIN[:-1] + b',"max_completion_tokens":50}'}
    settlement = at.settlement
    assert (settlement.intent.provider_id, settlement.intent.model_id, settlement.intent.price_id) == (2, 2, 2)
    assert at.journal.intents[0].provider_id == 1
    assert settlement.charge_pico == settlement.cost_pico == 170 * MICRO <= settlement.hold_pico
    assert settlement.attempts == 2
    [failed] = settlement.failed
    assert (failed.provider_id, failed.price_id, failed.cost_pico, failed.charge_pico) == (1, 1, 0, 0)
    assert (failed.error and failed.status_code >= 400) or what == "broke off within its answer"
    unknown = what in ("no first byte", "broke off before its head", "broke off within its answer")
    assert failed.source is (UsageSource.INTERRUPTED if unknown else UsageSource.NONE)
    assert (failed.bound_pico > 0) == unknown


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 302])
async def test_error_about_the_request_is_passed_on_without_retry(status: int) -> None:
    at = stage()
    at.upstream.answers = {"lab": [error(status)], "two": []}
    if status < 400:
        await at.refused()
    else:
        await at.serve(PLAIN)
        assert at.client.status == status
    at.settled_once()
    assert at.upstream.asked == ["lab"] and at.settlement.failed == ()


async def test_retry_with_all_targets_failing_passes_on_the_last_failure() -> None:
    at = stage()
    at.upstream.answers = {"lab": [fault(Code.PROVIDER_TIMEOUT)], "two": [error(500)], "three": [error(529)]}
    await at.serve(PLAIN)
    at.settled_once()
    assert at.client.status == 529 and at.upstream.asked == ["lab", "two", "three"]
    assert (at.settlement.status_code, at.settlement.charge_pico) == (529, 0)
    assert [failed.status_code for failed in at.settlement.failed] == [504, 500]
    assert at.settlement.intent.provider_id == 3


async def test_stream_that_fails_before_its_first_byte_is_retried_on_another_target() -> None:
    at = stage()
    overloaded = b'data: {"error":{"type":"overloaded_error","message":"busy"}}\n\n'
    at.upstream.answers = {
        "lab": [Exchange(overloaded, headers=SSE)],
        "two": [Exchange(fault(Code.PROVIDER_BROKE_OFF), headers=SSE)],
        "three": [Exchange(HELLO, STOP + USAGE, DONE, headers=SSE)],
    }
    await at.serve(STREAM)
    at.settled_once()
    assert at.client.body == HELLO + STOP + USAGE + DONE
    assert at.journal.story == ["read", "begin", "send", "send", "settled", "send", "end"]
    assert [(failed.error, failed.source) for failed in at.settlement.failed] == [
        ("provider_overloaded", UsageSource.NONE),
        ("provider_broke_off", UsageSource.ESTIMATE),
    ]
    assert at.settlement.charge_pico == 17 * MICRO


@pytest.mark.parametrize(
    "events",
    [
        (b'data: {"error":{"message":"no","code":429}}\n\n',),
        (b": wait\n\n", b'data: {"error":{"message":"no","code":502}}\n\n'),
        (b'data: {"error":{"message":"no"}}\n\n',),
        (b'{"error":{"message":"no","code":503}}',),
        (b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\ndata: {"error":{"message":"no","code":502}}\n\n',),
        (b": wait\n\n",),
        (),
    ],
)
async def test_stream_without_any_content_is_retried_on_another_target(events: tuple[bytes, ...]) -> None:
    at = stage()
    at.upstream.answers = {
        "lab": [Exchange(*events, headers=SSE)],
        "two": [Exchange(b": wait\n\n", HELLO, STOP + USAGE, DONE, headers=SSE)],
    }
    await at.serve(STREAM)
    at.settled_once()
    assert at.client.body == b": wait\n\n" + HELLO + STOP + USAGE + DONE
    [failed] = at.settlement.failed
    assert (failed.source, failed.cost_pico) == (UsageSource.NONE, 0) and failed.error
    assert at.settlement.charge_pico == 170 * MICRO


async def test_stream_that_breaks_off_after_content_is_not_retried() -> None:
    at = stage()
    at.upstream.answers = {"lab": [Exchange(HELLO, fault(Code.PROVIDER_BROKE_OFF), headers=SSE)], "two": []}
    await at.serve(STREAM)
    at.settled_once()
    assert at.client.body == HELLO and at.journal.story[-1] == "cut" and at.settlement.failed == ()


async def test_stream_of_the_last_target_with_an_error_is_passed_on() -> None:
    at = stage()
    overloaded = b'data: {"error":{"type":"overloaded_error","message":"busy"}}\n\n'
    at.upstream.answers = {
        "lab": [error(500)],
        "two": [error(500)],
        "three": [Exchange(overloaded, headers=SSE)],
    }
    await at.serve(STREAM)
    at.settled_once()
    assert at.client.status == 200 and at.client.body == overloaded
    assert at.settlement.error == "provider_overloaded"


async def test_hold_with_several_targets_covers_the_dearest_one() -> None:
    for models, dearest in ((MODELS, 2), (MODELS[:1], 1)):
        at = stage(models=models)
        at.upstream.answers = {"lab": [Exchange(ANSWER)]}
        await at.serve(PLAIN)
        alone = stage(models=tuple(model for model in MODELS if model.id == dearest))
        alone.upstream.answers = {"lab": [Exchange(ANSWER)], "two": [Exchange(ANSWER)]}
        await alone.serve(PLAIN)
        assert at.settlement.hold_pico == alone.settlement.hold_pico


async def test_retry_without_fallback_by_name_uses_the_oldest_target_only() -> None:
    at = stage()
    at.policy = replace(at.policy, fallback_by_name=False)
    at.upstream.answers = {"lab": [error(503)]}
    await at.serve(PLAIN)
    assert at.client.status == 503 and at.upstream.asked == ["lab"]


# Rounds


async def test_retry_of_a_lone_target_waits_before_each_round() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1),), retries=2),))
    at.upstream.answers = {"lab": [error(500), fault(Code.PROVIDER_UNREACHABLE, False), Exchange(ANSWER)]}
    await at.serve(PLAIN)
    at.settled_once()
    assert at.client.body == ANSWER and len(at.settlement.failed) == 2
    assert at.pauses_s == [0.125, 0.25]


async def test_retry_after_rate_limit_waits_for_retry_after() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1),), retries=1),))
    at.upstream.answers = {"lab": [error(429, retry_after="7"), Exchange(ANSWER)]}
    await at.serve(PLAIN)
    assert at.pauses_s == [7.0] and at.client.body == ANSWER


async def test_retry_with_long_retry_after_passes_on_the_error_at_once() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1),), retries=1),))
    at.upstream.answers = {"lab": [error(429, retry_after="120")]}
    await at.serve(PLAIN)
    assert at.pauses_s == [] and at.client.status == 429 and at.client.headers["retry-after"] == "120"


async def test_retry_stops_at_the_highest_number_of_attempts() -> None:
    at = stage(routes=(replace(ROUTE, retries=10),))
    at.policy = replace(at.policy, most_attempts=5)
    at.upstream.answers = {name: [error(500) for _ in range(9)] for name in ("lab", "two", "three")}
    await at.serve(PLAIN)
    at.settled_once()
    assert len(at.upstream.calls) == 5 and len(at.settlement.failed) == 4


async def test_retry_without_route_uses_a_lone_target_once() -> None:
    at = Stage()
    at.upstream.answers = {"lab": [error(500)]}
    await at.serve(PLAIN)
    assert at.client.status == 500


# Clients that leave


async def test_retry_after_client_disconnect_is_not_made() -> None:
    at = stage()
    at.upstream.answers = {"lab": [Exchange(lambda: setattr(at.client, "gone", True), b"{}", status=500)], "two": []}
    with pytest.raises(ClientGoneError):
        await at.serve(PLAIN)
    at.settled_once()
    assert at.upstream.asked == ["lab"] and at.settlement.error == "provider_fault"
    assert all(stats.in_flight == 0 for stats in at.target_pool.stats())


async def test_retry_pause_ends_when_the_client_disconnects() -> None:
    at = stage(routes=(replace(ROUTE, legs=(RouteLeg(1),), retries=1),))
    at.upstream.answers = {"lab": [error(500)]}

    async def pause(seconds: float) -> None:
        at.client.hang_up()
        await asyncio.Event().wait()

    at._pause = pause  # type: ignore[method-assign]
    with pytest.raises(ClientGoneError):
        await at.serve(STREAM)
    at.settled_once()
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0 and at.settlement.charge_pico == 0


# Who pays for what failed


@pytest.mark.parametrize("charge", ["never", "provider-billed"])
async def test_failed_attempt_with_usage_is_charged_only_under_provider_billed(charge: Any) -> None:
    at = stage(models=MODELS[:2])
    at.policy = replace(at.policy, charge_failed_attempts=charge)
    failed = (
        b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":0},"error":{"type":"server_error"}}\n\n'
    )
    at.upstream.answers = {
        "lab": [Exchange(failed, headers=SSE)],
        "two": [Exchange(HELLO, STOP + USAGE, DONE, headers=SSE)],
    }
    await at.serve(STREAM)
    at.settled_once()
    settlement = at.settlement
    [attempt] = settlement.failed
    assert attempt.cost_pico == 7 * MICRO and attempt.meters["input_tokens"] == 7
    billed = charge == "provider-billed"
    assert attempt.charge_pico == (7 * MICRO if billed else 0)
    assert settlement.charge_pico == 170 * MICRO + attempt.charge_pico
    assert settlement.cost_pico == 170 * MICRO
    assert (settlement.note == "with_failed_attempts") == billed


@pytest.mark.parametrize(("charge", "interrupted"), [("provider-billed", "bound"), ("provider-billed", "nothing")])
async def test_hold_with_charged_attempts_covers_all_of_them(charge: Any, interrupted: Any) -> None:
    at = stage(models=MODELS[:2])
    at.policy = replace(at.policy, charge_failed_attempts=charge, interrupted_charge=interrupted)
    at.upstream.answers = {"lab": [fault(Code.PROVIDER_TIMEOUT)], "two": [fault(Code.PROVIDER_TIMEOUT)]}
    await at.refused()
    at.settled_once()
    [attempt] = at.settlement.failed
    assert attempt.bound_pico > 0
    assert attempt.charge_pico == (attempt.bound_pico if interrupted == "bound" else 0)
    assert attempt.charge_pico <= at.settlement.charge_pico <= at.settlement.hold_pico


# Keys


async def test_retry_after_refused_or_limited_key_uses_the_next_key() -> None:
    for status in (401, 403, 429):
        lab = replace(LAB, sealed_key=b"a", more_keys=(SECOND,))
        at = Stage(providers=(lab,))
        at.upstream.answers = {"lab": [error(status), Exchange(ANSWER), Exchange(ANSWER)]}
        await at.serve(PLAIN)
        at.settled_once()
        assert [call.key.label for call in at.upstream.calls if call.key] == ["main", "second"]
        assert at.client.body == ANSWER and len(at.settlement.failed) == 1
        await at.serve(PLAIN)  # it is left out for a while
        assert at.upstream.calls[-1].key == SECOND


async def test_provider_keys_with_weights_are_used_in_turn_by_weight() -> None:
    lab = replace(LAB, sealed_key=b"a", key_weight=1, more_keys=(replace(SECOND, weight=2),))
    at = Stage(providers=(lab,))
    at.upstream.answers = {"lab": [Exchange(ANSWER) for _ in range(6)]}
    for _ in range(6):
        await at.serve(PLAIN)
    labels = [call.key.label for call in at.upstream.calls if call.key]
    assert (labels.count("main"), labels.count("second")) == (2, 4)


async def test_server_error_is_not_retried_with_another_key() -> None:
    lab = replace(LAB, sealed_key=b"a", more_keys=(SECOND,))
    at = Stage(providers=(lab,))
    at.upstream.answers = {"lab": [error(500)]}
    await at.serve(PLAIN)
    assert at.client.status == 500 and len(at.upstream.calls) == 1


# Targets of another dialect

CLAUDE = replace(OTHER, type=ProviderType.ANTHROPIC)
MESSAGE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"hi"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":5}}'
)


async def test_retry_uses_targets_of_another_dialect_last() -> None:
    at = stage(providers=(LAB, CLAUDE, THIRD))
    at.policy = replace(at.policy, most_attempts=3)
    at.upstream.answers = {"lab": [error(500)], "three": [error(500)], "two": [Exchange(MESSAGE)]}
    await at.serve(PLAIN)
    at.settled_once()
    assert at.upstream.asked == ["lab", "three", "two"]  # who needs no translation comes first
    assert at.upstream.calls[-1].path == "/v1/messages"
    assert b'"choices"' in at.client.body and at.settlement.charge_pico == 170 * MICRO


async def test_target_with_untranslatable_request_is_skipped() -> None:
    body = PLAIN[:-1] + b',"n":2}'
    at = stage(providers=(LAB, CLAUDE, THIRD), routes=(replace(ROUTE, legs=(RouteLeg(2), RouteLeg(1, tier=1))),))
    at.upstream.answers = {"lab": [Exchange(ANSWER)]}
    await at.serve(body)
    at.settled_once()
    assert at.upstream.asked == ["lab"] and at.client.body == ANSWER and at.settlement.failed == ()
    alone = stage(providers=(LAB, CLAUDE, THIRD), routes=(replace(ROUTE, legs=(RouteLeg(2),)),))
    assert (await alone.refused(body)).code is Code.INVALID_REQUEST
    alone.settled_once()
    assert alone.settlement.charge_pico == 0 and all(each.in_flight == 0 for each in alone.target_pool.stats())


async def test_target_with_untranslatable_request_does_not_hide_an_earlier_failure() -> None:
    """The client is told what may go well another time, and not that its request is wrong."""
    at = stage(
        providers=(LAB, CLAUDE, THIRD), routes=(replace(ROUTE, legs=(RouteLeg(1), RouteLeg(2, tier=1)), retries=0),)
    )
    at.upstream.answers = {"lab": [error(503)]}
    await at.serve(PLAIN[:-1] + b',"n":2}')
    at.settled_once()
    assert (at.client.status, at.upstream.asked) == (503, ["lab"])
    settlement = at.settlement
    assert (settlement.status_code, settlement.intent.provider_id, settlement.failed) == (503, 1, ())
    assert all(each.in_flight == 0 for each in at.target_pool.stats())


async def test_target_with_untranslatable_request_does_not_count_as_an_attempt() -> None:
    legs = (RouteLeg(1), RouteLeg(2, tier=1))
    at = stage(providers=(LAB, CLAUDE, THIRD), routes=(replace(ROUTE, legs=legs, retries=1),))
    at.policy = replace(at.policy, most_attempts=2)
    at.upstream.answers = {"lab": [error(503), Exchange(ANSWER)]}
    await at.serve(PLAIN[:-1] + b',"n":2}')
    at.settled_once()
    assert at.upstream.asked == ["lab", "lab"] and at.client.body == ANSWER
    assert [failed.provider_id for failed in at.settlement.failed] == [1] and len(at.pauses_s) == 1


async def test_output_limit_sent_to_a_target_is_at_most_that_of_its_model() -> None:
    models = (MODELS[0], replace(MODELS[1], max_output_tokens=300), MODELS[2])
    at = stage(
        providers=(LAB, CLAUDE, THIRD), models=models, routes=(replace(ROUTE, legs=(RouteLeg(2), RouteLeg(1, tier=1))),)
    )
    at.journal.decisions = [Admitted(USD, 700, 0, Allowance())]
    at.upstream.answers = {"two": [Exchange(MESSAGE)]}
    await at.serve(b'{"model":"llama","messages":[{"role":"user","content":"hello"}]}')
    at.settled_once()
    assert json.loads(at.upstream.calls[0].body)["max_tokens"] == 300
