"""Whatever targets answer, in whatever order: one settlement, within its hold, and the client is told what it cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from support.labs import error, fault, stage
from support.playbook import ANSWER, ASK, DONE, HELLO, SSE, STOP, USAGE, Exchange, Stage

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.relay.core.policy import Policy

REFUSES_USAGE = b'{"error":{"message":"unknown field stream_options"}}'
BROKE = ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
ZEROS = json.dumps(
    {"usage": {"prompt_tokens": 0, "completion_tokens": 0}, "choices": [{"message": {"content": "word " * 9}}]}
).encode()
SILENT = json.dumps({"choices": [{"message": {"content": "word " * 9}}]}).encode()
FAILED_WITH_USAGE = json.dumps(
    {"error": {"message": "no"}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "choices": []}
).encode()
STREAMED_ERROR = b'data: {"error":{"message":"no","code":502}}\n\n'
BLANK = b'data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}\n\n'

ANSWERS: dict[str, Callable[[], Any]] = {
    "whole": lambda: Exchange(ANSWER),
    "zeros": lambda: Exchange(ZEROS),
    "silent": lambda: Exchange(SILENT),
    "failed with usage": lambda: Exchange(FAILED_WITH_USAGE),
    "failed": lambda: Exchange(b'{"error":{"message":"no","code":502}}'),
    "empty": lambda: Exchange(b""),
    "page": lambda: Exchange(b"<html>wait</html>"),
    "cut": lambda: Exchange(b'{"us', BROKE),
    "stream": lambda: Exchange(HELLO, STOP, USAGE, DONE, headers=SSE),
    "stream without usage": lambda: Exchange(HELLO, STOP, DONE, headers=SSE),
    "stream of zeros": lambda: Exchange(HELLO, STOP, BLANK, DONE, headers=SSE),
    "stream without end": lambda: Exchange(HELLO, headers=SSE),
    "stream that breaks": lambda: Exchange(HELLO, BROKE, headers=SSE),
    "stream that breaks at once": lambda: Exchange(BROKE, headers=SSE),
    "stream that fails at once": lambda: Exchange(STREAMED_ERROR, headers=SSE),
    "stream that fails": lambda: Exchange(HELLO, STREAMED_ERROR, headers=SSE),
    "stream of nothing": lambda: Exchange(headers=SSE),
    "stream of a comment": lambda: Exchange(b": wait\n\n", headers=SSE),
    "stream that is whole": lambda: Exchange(ANSWER, headers=SSE),
    "400": lambda: error(400),
    "refuses usage": lambda: Exchange(REFUSES_USAGE, status=400),
    "429": lambda: error(429),
    "500": lambda: error(500),
    "401": lambda: error(401),
    "timeout": lambda: fault(Code.PROVIDER_TIMEOUT),
    "unreachable": lambda: fault(Code.PROVIDER_UNREACHABLE, False),
    "broke off": lambda: fault(Code.PROVIDER_BROKE_OFF),
}
BODIES: dict[str, dict[str, Any]] = {
    "chat_completions": ASK,
    "messages": {"model": "llama", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]},
    "responses": {"model": "llama", "max_output_tokens": 50, "input": "hello"},
}


def made(seed: int) -> tuple[Stage, str, bytes, list[str]]:
    random, at = Random(seed), stage()
    interrupted = random.choice(("nothing", "bound"))
    charge = random.choice(("never", "provider-billed"))
    at.policy = Policy(16, interrupted, 5.0, 1_000_000, charge, retries=random.randrange(2))  # type: ignore[arg-type]
    endpoint = random.choice(sorted(BODIES))
    body = dict(BODIES[endpoint])
    if streams := random.random() < 0.7:
        body["stream"] = True
    if streams and endpoint == "chat_completions" and random.random() < 0.3:
        body["stream_options"] = {"include_usage": True}
    told = random.choices(sorted(ANSWERS), k=12)
    if random.random() < 0.4:
        told[0] = "refuses usage"
    script = [ANSWERS[what]() for what in told]
    at.upstream.answers = dict.fromkeys(("lab", "two", "three"), script)
    at.client.gone_at = random.choice((None, None, None, "begin", "send", "answer", "end"))
    at.client.gone_after_sends = random.randrange(3)
    return at, endpoint, json.dumps(body).encode(), told


@pytest.mark.parametrize("seed", range(150))
async def test_request_with_any_mixture_of_responses_is_settled_once_within_its_hold(seed: int) -> None:
    at, endpoint, body, told = made(seed)
    headers: dict[str, str] = {}
    try:
        await at.serve(body, endpoint)
        headers = at.client.headers
    except RefusedError as refused:
        headers = dict(refused.headers)
    except (ClientGoneError, ProviderFault):
        pass
    at.settled_once()
    settlement = at.settlement
    print(told[: settlement.attempts], endpoint, settlement)
    assert settlement.attempts == len(settlement.failed) + 1 <= len(at.upstream.calls) + 1
    assert 0 <= settlement.charge_pico <= settlement.hold_pico
    failed_pico = sum(attempt.charge_pico for attempt in settlement.failed)
    if "limited_to_balance" not in (settlement.note or ""):
        assert settlement.charge_pico >= failed_pico
    if settlement.source is UsageSource.NONE:
        assert settlement.charge_pico == failed_pico and settlement.cost_pico == 0
    if at.policy.charge_failed_attempts == "never":
        assert failed_pico == 0
    if "x-softix-cost-usd" in headers:
        assert headers["x-softix-cost-usd"] == format_usd(settlement.charge_pico)
    elif at.client.gone_at is None:
        assert at.client.begun, "only a stream begins before it is known what it costs"
    assert settlement.error is not None or settlement.status_code < 400
    for attempt in settlement.failed:
        assert (attempt.bound_pico > 0) == (attempt.source is UsageSource.INTERRUPTED)
