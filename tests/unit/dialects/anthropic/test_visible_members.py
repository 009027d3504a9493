"""What Anthropic's streamed requests can hide of their cost."""

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.hiding import CALLS, HIDES_ANYTHING, REASONING

TALK = [{"role": "user", "content": "hi"}]
THINKING = {"type": "enabled", "budget_tokens": 1024}


def hides(**body: Any) -> frozenset[str]:
    asked = {"model": "m", "stream": True, "max_tokens": 5, "messages": TALK, **body}
    return ENDPOINTS["messages"].read(json.dumps(asked).encode()).hides


def test_messages_of_text_hide_nothing() -> None:
    assert hides(system="be brief", thinking={"type": "disabled"}) == frozenset()


def test_messages_with_tools_and_thinking_hide_these() -> None:
    assert hides(tools=[{"name": "f", "input_schema": {"type": "object"}}]) == {CALLS}
    assert hides(thinking=THINKING) == {REASONING}
    assert hides(thinking={"type": "disabled", "budget_tokens": 1}) == {REASONING}


@pytest.mark.parametrize(
    "more",
    [
        {"stream": False},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"mcp_servers": [{"type": "url", "url": "https://a", "name": "b"}]},
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://a"}}]}]},
        {"something_new": 1},
    ],
)
def test_messages_with_anything_else_can_hide_anything(more: dict[str, Any]) -> None:
    assert hides(**more) == HIDES_ANYTHING
