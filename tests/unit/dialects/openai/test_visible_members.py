"""What OpenAI's streamed requests can hide of their cost."""

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.hiding import CALLS, HIDES_ANYTHING, REASONING

TALK = [{"role": "user", "content": "hi"}]
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {}}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}


def hides(endpoint: str, **body: Any) -> frozenset[str]:
    return ENDPOINTS[endpoint].read(json.dumps({"model": "m", "stream": True, **body}).encode()).hides


def test_chat_of_text_hides_nothing() -> None:
    assert hides("chat_completions", messages=TALK, max_tokens=5, temperature=0, stop=["\n"], n=2) == frozenset()


def test_chat_with_tools_and_reasoning_hides_these() -> None:
    assert hides("chat_completions", messages=TALK, tools=[FUNCTION]) == {CALLS}
    assert hides("chat_completions", messages=TALK, reasoning_effort="low") == {REASONING}


@pytest.mark.parametrize(
    "more",
    [
        {"stream": False},
        {"messages": [{"role": "user", "content": [PICTURE]}]},
        {"modalities": ["text", "audio"]},
        {"prediction": {"type": "content", "content": "x"}},
        {"best_of": 4},
        {"ignore_eos": True},
        {"logit_bias": {"7": 100}},
        {"include_reasoning": False},
        {"stop": "x" * 100},
        {"something_new": 1},
    ],
)
def test_chat_with_anything_else_can_hide_anything(more: dict[str, Any]) -> None:
    assert hides("chat_completions", **{"messages": TALK, **more}) == HIDES_ANYTHING


def test_completion_of_one_prompt_hides_nothing_unless_the_best_of_several_is_wanted() -> None:
    assert hides("completions", prompt="hi", max_tokens=5) == frozenset()
    assert hides("completions", prompt="hi", best_of=3) == HIDES_ANYTHING


def test_response_of_text_hides_nothing() -> None:
    assert hides("responses", input="hi", instructions="be brief", store=False) == frozenset()
    assert hides("responses", input="hi", reasoning={"effort": "low"}) == {REASONING}
    assert hides("responses", input="hi", tools=[{"type": "function", "name": "f"}]) == HIDES_ANYTHING


@pytest.mark.parametrize(
    "more",
    [
        {"previous_response_id": "resp_1"},
        {"tools": [{"type": "web_search"}]},
        {"prompt": {"id": "pmpt_1"}},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        {"stream": False},
    ],
)
def test_response_that_brings_input_or_work_in_can_hide_anything(more: dict[str, Any]) -> None:
    assert hides("responses", **{"input": "hi", **more}) == HIDES_ANYTHING
