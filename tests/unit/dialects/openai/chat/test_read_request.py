from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import (
    JsonFormat,
    MediaPart,
    Reasoning,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Turn,
)
from softix_proxy.domain.core.errors import RefusedError

Reading = Callable[..., tuple[Any, list[str]]]
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_conversation_with_calls_and_results_is_read_as_turns(reading: Reading) -> None:
    messages = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": None, "reasoning_content": "so", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "7"}]},
        {"role": "assistant", "refusal": "No."},
    ]
    request, lost = reading("chat_completions", messages=messages)
    assert request.turns == [
        Turn("system", [TextPart("Be kind.")]),
        Turn("user", [TextPart("Look", "5m")]),
        Turn("assistant", [Thinking("so"), ToolCall("c", "f", "{}")]),
        Turn("user", [ToolResult("c", [TextPart("7")])]),
        Turn("assistant", [RefusalPart("No.")]),
    ]
    assert lost == []


def test_media_parts_of_each_kind_are_read(reading: Reading) -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "BB", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,CC", "filename": "a.pdf"}},
    ]
    request, _ = reading("chat_completions", messages=[{"role": "user", "content": parts}])
    assert request.turns[0].parts == [
        MediaPart("image", "image/png", "AA", detail="low"),
        MediaPart("image", url="https://example.org/a.png"),
        MediaPart("audio", "audio/wav", "BB"),
        MediaPart("document", "application/pdf", "CC", name="a.pdf"),
    ]


def test_call_with_a_signature_of_google_is_read_with_it(reading: Reading) -> None:
    call = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    request, _ = reading("chat_completions", messages=[{"role": "assistant", "tool_calls": [call]}])
    assert request.turns[0].parts == [Thinking("", "s", "generate_content", of="c"), ToolCall("c", "f", "{}")]


def test_tools_and_tool_choice_are_read(reading: Reading) -> None:
    function = {"name": "f", "parameters": {"type": "object"}, "strict": True}
    grammar = {"syntax": "lark", "definition": "start: X"}
    custom = {"name": "g", "format": {"type": "grammar", "grammar": grammar}}
    tools = [{"type": "function", "function": function}, {"type": "custom", "custom": custom}, {"type": "other"}]
    named = {"type": "function", "function": {"name": "f"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named]}}
    request, lost = reading("chat_completions", tools=tools, tool_choice=named)
    assert request.tools == [
        ToolDefinition("f", schema={"type": "object"}, strict=True),
        ToolDefinition("g", custom=True, grammar=grammar),
    ]
    assert request.tool_choice == ToolChoice("required", ["f"])
    assert lost == ["hosted_tools"]
    assert reading("chat_completions", tool_choice=allowed)[0].tool_choice == ToolChoice("auto", ["f"])
    assert reading("chat_completions", tool_choice="none")[0].tool_choice == ToolChoice("none")


def test_limits_and_counts_are_read(reading: Reading) -> None:
    request, _ = reading(
        "chat_completions",
        max_tokens=5,
        max_completion_tokens=7,
        stop="x",
        logprobs=True,
        top_logprobs=3,
        n=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert (request.max_output_tokens, request.stop, request.logprobs, request.choices) == (7, ["x"], 3, 2)
    assert request.stream
    assert request.wants_usage
    assert not reading("chat_completions", stream=True)[0].wants_usage
    assert reading("chat_completions", top_logprobs=3)[0].logprobs is None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Reasoning(True, "high")),
        ({"reasoning_effort": "none"}, Reasoning(False)),
        ({"reasoning": {"max_tokens": 99}}, Reasoning(True, "", 99, shown=True)),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(True, "low")),
        ({"reasoning": {"enabled": False}}, Reasoning(False)),
    ],
)
def test_reasoning_settings_are_read(reading: Reading, given: dict[str, Any], wanted: Reasoning | None) -> None:
    assert reading("chat_completions", **given)[0].reasoning == wanted


def test_response_formats_are_read(reading: Reading) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True}}
    assert reading("chat_completions", response_format={"type": "text"})[0].format is None
    assert reading("chat_completions", response_format={"type": "json_object"})[0].format == JsonFormat()
    found = reading("chat_completions", response_format=schema)[0].format
    assert found == JsonFormat({"type": "object"}, "a", "", True)


def test_fields_without_a_translation_are_dropped(reading: Reading) -> None:
    messages = [{"role": "user", "name": "ada", "content": "x"}]
    _, lost = reading("chat_completions", messages=messages, store=True, prediction={"x": 1}, new=1)
    assert lost == ["prediction", "store", "other", "name"]


@pytest.mark.parametrize(
    "given",
    [
        {"logit_bias": {"1": 2}},
        {"modalities": ["text", "audio"]},
        {"functions": [{}]},
        {"function_call": "auto"},
        {"web_search_options": {"x": 1}},
        {"messages": [{"role": "function", "content": "x"}]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
        {"messages": [{"role": "user", "content": 5}]},
        {"response_format": {"type": "xml"}},
        {"tool_choice": "perhaps"},
        {"tool_choice": {}},
    ],
)
def test_request_with_untranslatable_or_bad_fields_is_refused(reading: Reading, given: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        reading("chat_completions", **given)


def test_request_with_text_as_its_only_modality_loses_nothing(reading: Reading) -> None:
    assert reading("chat_completions", modalities=["text"], logit_bias={})[1] == []
