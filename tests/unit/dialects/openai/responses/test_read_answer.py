from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.types import (
    CanonicalAnswer,
    ErrorEvent,
    MediaPart,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.openai.responses.read_answer import ReadAnswer

Heard = Callable[..., CanonicalAnswer]
OUTPUT = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
        "encrypted_content": "e",
    },
    {"type": "message", "content": [{"type": "output_text", "text": "ab"}, {"type": "refusal", "refusal": "No."}]},
    {"type": "function_call", "call_id": "x", "name": "f", "arguments": '{"a":1}'},
    {"type": "custom_tool_call", "call_id": "y", "name": "g", "input": "text"},
    {"type": "web_search_call", "id": "w"},
    {"type": "image_generation_call", "id": "i", "result": "AA"},
]
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "model": "m",
    "created_at": 7.5,
    "status": "completed",
    "output": OUTPUT,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def event(kind: str, output: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": output, **fields}


def test_plain_answer_with_all_parts_is_read() -> None:
    answer = accumulate(ReadAnswer().read_whole(RESPONSE))
    assert answer.choices[0].parts == [
        Thinking("one\n\ntwo", "e", "responses", of="rs_1"),
        TextPart("ab"),
        RefusalPart("No."),
        ToolCall("x", "f", '{"a":1}'),
        ToolCall("y", "g", "text", custom=True),
        MediaPart("image", "image/png", "AA"),
    ]
    assert (answer.start.id, answer.start.created_s, answer.choices[0].reason) == ("resp_1", 7, "calls")
    assert answer.ended


def test_stream_with_all_parts_is_read_as_its_plain_answer(heard: Heard) -> None:
    items = [event("output_item.done", index, item=item) for index, item in enumerate(OUTPUT)]
    begun = {"type": "function_call", "call_id": "x", "name": "f", "arguments": ""}
    events = [
        event("created", response={**RESPONSE, "output": []}),
        event("reasoning_summary_text.delta", 0, item_id="rs_1", summary_index=0, delta="one"),
        event("reasoning_summary_text.delta", 0, item_id="rs_1", summary_index=1, delta="tw"),
        event("reasoning_summary_text.delta", 0, item_id="rs_1", summary_index=1, delta="o"),
        items[0],
        event("output_text.delta", 1, content_index=0, delta="a"),
        event("output_text.delta", 1, content_index=0, delta="b"),
        event("refusal.delta", 1, content_index=1, delta="No."),
        items[1],
        event("output_item.added", 2, item=begun),
        event("function_call_arguments.delta", 2, delta='{"a"'),
        event("function_call_arguments.delta", 2, delta=":1}"),
        *items[2:],
        event("completed", response=RESPONSE),
    ]
    assert heard("responses", *events) == accumulate(ReadAnswer().read_whole(RESPONSE))


def test_stream_without_deltas_is_read_as_its_plain_answer(heard: Heard) -> None:
    items = [event("output_item.done", index, item=item) for index, item in enumerate(OUTPUT)]
    answer = heard("responses", event("created", response=RESPONSE), *items, event("completed", response=RESPONSE))
    assert answer == accumulate(ReadAnswer().read_whole(RESPONSE))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "filter"),
        ({"output": OUTPUT[:2]}, "end"),
    ],
)
def test_stop_reason_of_each_kind_is_read(changed: dict[str, Any], reason: str) -> None:
    assert accumulate(ReadAnswer().read_whole({**RESPONSE, **changed})).choices[0].reason == reason


def test_stream_with_each_kind_of_error_has_a_failure(heard: Heard) -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow down"}
    failed = event("failed", response={**RESPONSE, "status": "failed", "error": error})
    assert heard("responses", failed).failure == ErrorEvent("provider_rate_limited", "slow down")
    assert heard("responses", {"type": "error", **error}).failure == ErrorEvent("provider_rate_limited", "slow down")
    assert heard("responses", {"error": error}).failure == ErrorEvent("provider_rate_limited", "slow down")
    assert not heard("responses", event("created", response=RESPONSE)).ended


def test_logprobs_in_a_stream_are_read_as_in_its_plain_answer(heard: Heard) -> None:
    weights = [{"token": "a", "logprob": -1, "top_logprobs": []}]
    answer = heard(
        "responses",
        event("output_text.delta", 0, content_index=0, delta="a", logprobs=weights),
        event("completed", response=RESPONSE),
    )
    assert answer.choices[0].logprobs
    content = [{"type": "output_text", "text": "a", "logprobs": weights}]
    plain = {**RESPONSE, "output": [{"type": "message", "content": content}]}
    assert accumulate(ReadAnswer().read_whole(plain)).choices[0].logprobs == answer.choices[0].logprobs
