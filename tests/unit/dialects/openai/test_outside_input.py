import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.outside_input import NAMES
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.drop_fields import NEVER

CHAT, COMPLETIONS = ENDPOINTS["chat_completions"], ENDPOINTS["completions"]
MESSAGES = [{"role": "user", "content": "hello"}]


def chat(**fields: Any) -> Any:
    return CHAT.read(json.dumps({"model": "m", "messages": MESSAGES, **fields}).encode())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_request_with_a_member_that_brings_input_has_open_input_and_names_it(name: str) -> None:
    spec = chat(**{name: {"a": "text"}})
    assert spec.open_input and spec.members == (name,)
    assert COMPLETIONS.read(json.dumps({"model": "m", "prompt": "a", name: {"a": "text"}}).encode()).open_input


@pytest.mark.parametrize("name", sorted(NAMES))
def test_request_with_an_empty_member_that_brings_input_has_none(name: str) -> None:
    spec = chat(**{name: None})
    assert not spec.open_input and spec.members == ()


def test_request_with_switches_for_the_template_has_no_open_input() -> None:
    """`enable_thinking` and the like choose between parts of the provider's own template."""
    assert not chat(chat_template_kwargs={"enable_thinking": False, "budget": 100}).open_input
    assert chat(chat_template_kwargs={"enable_thinking": False, "tools": ["a"]}).open_input


def test_request_with_a_data_source_has_the_model_read_twice() -> None:
    assert chat(data_sources=[{"type": "azure_search"}]).rounds == 2 and chat().rounds == 1


def test_members_that_bring_input_cannot_be_configured_to_be_dropped() -> None:
    assert NAMES <= NEVER
