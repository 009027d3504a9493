from __future__ import annotations

import pytest

from softix_proxy.dialects.canonical.types import Thinking
from softix_proxy.dialects.openai.chat.reasoning import details, read_details


@pytest.mark.parametrize(
    "thinking",
    [
        Thinking("so", "s", "messages"),
        Thinking("", "s", "messages"),
        Thinking("", "d", "messages", redacted=True),
        Thinking("summary", "e", "responses", of="rs_1"),
        Thinking("", "g", "generate_content", of="call_1"),
    ],
)
def test_reasoning_details_after_writing_and_reading_are_the_same(thinking: Thinking) -> None:
    assert read_details({"reasoning_details": details([thinking])}) == [thinking]


def test_reasoning_details_of_one_thought_in_pieces_are_joined() -> None:
    form = {"format": "anthropic-claude-v1", "index": 0, "type": "reasoning.text"}
    pieces = [{**form, "text": "so "}, {**form, "text": "it is"}, {**form, "signature": "s"}]
    assert read_details({"reasoning_details": pieces}) == [Thinking("so it is", "s", "messages")]


def test_reasoning_without_details_is_read_as_plain_thinking() -> None:
    assert read_details({"reasoning_content": "so"}) == [Thinking("so")]
    assert read_details({"reasoning": "so"}) == [Thinking("so")]
    assert read_details({"reasoning_content": None}) == []


def test_reasoning_details_of_an_unknown_format_lose_their_signature() -> None:
    item = {"type": "reasoning.encrypted", "data": "x", "format": "new-v9", "summary": "so"}
    assert read_details({"reasoning_details": [item]}) == [Thinking("so")]
