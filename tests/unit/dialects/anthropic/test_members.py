from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS

MESSAGES = ENDPOINTS["messages"]


def read(**members: Any) -> Any:
    return MESSAGES.read(json.dumps({"model": "m", "max_tokens": 5, **members}).encode())


@pytest.mark.parametrize("name", ["mcp_servers", "container", "context_management", "compaction", "thread"])
def test_member_that_brings_input_opens_the_hold(name: str) -> None:
    assert read(**{name: {"a": 1}}).open_input and not read(**{name: None}).open_input


def test_body_of_claude_code_has_no_unknown_members() -> None:
    names = ("system", "messages", "tools", "metadata", "thinking", "output_config", "stream", "temperature", "speed")
    assert read(**dict.fromkeys(names)).unknown_members == 0


def test_unknown_member_opens_the_hold_and_is_counted() -> None:
    spec = read(wombat=1, quoll=None)
    assert (spec.unknown_members, spec.open_input) == (2, True)
