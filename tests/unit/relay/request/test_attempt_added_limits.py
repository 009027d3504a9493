"""The output limit under further names: a server that refuses an added name gets the request without it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import ANSWER, ASK, JSON, LAB, PRICE, Exchange, Stage

from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.rates import PriceSheet

PLAIN = json.dumps(ASK).encode()
BOTH = b'{"error":{"message":"max_tokens and max_completion_tokens cannot be set at the same time","code":"invalid"}}'


def refusal(body: bytes) -> Exchange:
    return Exchange(body, status=400, headers=JSON)


def limits(stage: Stage) -> list[dict[str, Any]]:
    """What each attempt was sent as limits."""
    sent = [json.loads(call.body) for call in stage.upstream.calls]
    return [{name: value for name, value in body.items() if name.startswith("max_")} for body in sent]


async def test_limit_that_was_added_and_is_refused_is_left_out_from_then_on() -> None:
    stage = Stage()
    stage.upstream.answers = {"lab": [refusal(BOTH), Exchange(ANSWER), Exchange(ANSWER)]}
    await stage.serve(PLAIN)
    assert stage.client.body == ANSWER and stage.settlement.source is UsageSource.PROVIDER
    assert stage.settlement.attempts == 2
    await stage.serve(PLAIN)
    both, old = {"max_tokens": 50, "max_completion_tokens": 50}, {"max_tokens": 50}
    assert limits(stage) == [both, old, old]


async def test_limit_of_the_client_that_is_refused_stays_and_the_client_is_told() -> None:
    stage = Stage()
    told = b'{"error":{"message":"max_tokens is too large"}}'
    stage.upstream.answers = {"lab": [refusal(told)]}
    await stage.serve(PLAIN)
    assert (stage.client.status, stage.client.body, len(stage.upstream.calls)) == (400, told, 1)


async def test_limit_that_is_refused_for_another_reason_is_not_remembered() -> None:
    stage = Stage()
    stage.upstream.answers = {"lab": [refusal(BOTH), refusal(BOTH), Exchange(ANSWER)]}
    await stage.serve(PLAIN)
    await stage.serve(PLAIN)
    assert [sorted(found) for found in limits(stage)] == [
        ["max_completion_tokens", "max_tokens"],
        ["max_tokens"],
        ["max_completion_tokens", "max_tokens"],
    ]


@pytest.mark.parametrize(
    ("kind", "given", "sent"),
    [
        ("openai", {"max_tokens": 5}, {"max_tokens": 5}),
        ("openai", {"max_new_tokens": 5}, {"max_new_tokens": 5, "max_completion_tokens": 5}),
        ("vllm", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ("together", {"max_completion_tokens": 5}, {"max_completion_tokens": 5, "max_tokens": 5}),
        ("together", {"max_completion_tokens": 9, "max_tokens": 5}, {"max_completion_tokens": 9, "max_tokens": 5}),
        ("mistral", {"max_completion_tokens": 5}, {"max_tokens": 5}),
        (
            "openai-compatible",
            {"max_output_tokens": 5},
            {"max_output_tokens": 5} | dict.fromkeys(("max_tokens", "max_completion_tokens"), 5),
        ),
    ],
)
async def test_limit_is_added_only_where_the_provider_may_not_obey_the_client_name(
    kind: str, given: dict[str, int], sent: dict[str, int]
) -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType(kind)),))
    stage.upstream.answer = Exchange(ANSWER)
    asked = {name: value for name, value in ASK.items() if name != "max_tokens"}
    await stage.serve(json.dumps({**asked, **given}).encode() + b"\n")
    assert limits(stage) == [sent]


async def test_tools_without_a_limit_get_one_before_the_request_is_sent() -> None:
    sheet = {"bands": [{"prices": {"input": "1", "output": "2", "web_search": "10"}}]}
    price = replace(PRICE, sheet=PriceSheet.parse(sheet))
    stage = Stage(providers=(replace(LAB, type=ProviderType.XAI),), prices=(price,))
    stage.upstream.answer = Exchange(b'{"usage":{"input_tokens":1,"output_tokens":1}}')
    asked = {"model": "llama", "input": "a", "max_output_tokens": 5, "tools": [{"type": "web_search"}]}
    await stage.serve(json.dumps(asked).encode(), "responses")
    [call] = stage.upstream.calls
    assert json.loads(call.body) == {**asked, "max_turns": 10}
