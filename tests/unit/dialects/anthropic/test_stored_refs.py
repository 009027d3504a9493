"""What the provider keeps of messages: their container, the files that code wrote there, and held answers."""

from __future__ import annotations

import json

import pytest

from softix_proxy.dialects.anthropic.stored_refs import of_message
from softix_proxy.dialects.registry import ENDPOINTS

WRITTEN = {"type": "code_execution_output", "file_id": "f"}
RESULT = {"type": "code_execution_tool_result", "content": {"type": "code_execution_result", "content": [WRITTEN]}}
MESSAGE = {"id": "m", "container": {"id": "c", "expires_at": "x"}, "content": [{"type": "text", "text": "x"}, RESULT]}


def test_message_keeps_itself_its_container_and_the_files_in_it() -> None:
    assert of_message(json.dumps(MESSAGE).encode()) == (("message", "m"), ("container", "c"), ("file", "f"))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id":1,"container":{}}', b'{"content":"x"}'])
def test_answer_without_a_name_keeps_nothing(body: bytes) -> None:
    assert of_message(body) == ()


def test_streamed_message_keeps_its_container_wherever_it_is_told() -> None:
    meter = ENDPOINTS["messages"].stream(hide_usage=False)
    for event in (
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1, "output_tokens": 0}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "container": {"id": "c"}}},
    ):
        meter.feed(b"data: %b\n\n" % json.dumps(event).encode())
    assert meter.stored_refs == (("message", "m"), ("container", "c"))
