from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.signature_tagging import tag_signature
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


def test_input_items_are_read_as_turns(reading: Reading) -> None:
    foreign = Thinking("so", "s", "messages")
    items = [
        {"role": "user", "content": "Hello"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "so"}],
            "encrypted_content": "e",
        },
        {"type": "reasoning", "summary": [{"text": "so"}], "encrypted_content": tag_signature(foreign, "responses")},
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"type": "function_call", "call_id": "x", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "y", "name": "g", "input": "text"},
        {"type": "function_call_output", "call_id": "x", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "y", "output": [{"type": "input_text", "text": "2"}]},
    ]
    request, lost = reading("responses", instructions="Be kind.", input=items)
    assert request.turns == [
        Turn("system", [TextPart("Be kind.")]),
        Turn("user", [TextPart("Hello")]),
        Turn(
            "assistant",
            [
                Thinking("so", "e", "responses", of="rs_1"),
                foreign,
                RefusalPart("No."),
                ToolCall("x", "f", "{}"),
                ToolCall("y", "g", "text", custom=True),
            ],
        ),
        Turn("user", [ToolResult("x", [TextPart("1")]), ToolResult("y", [TextPart("2")], custom=True)]),
    ]
    assert lost == []
    assert reading("responses", input="Hi")[0].turns == [Turn("user", [TextPart("Hi")])]


def test_media_parts_of_each_kind_are_read(reading: Reading) -> None:
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,BB", "filename": "a.pdf"},
        {"type": "input_file", "file_url": "https://example.org/a.pdf"},
    ]
    request, _ = reading("responses", input=[{"role": "user", "content": parts}])
    assert request.turns[0].parts == [
        MediaPart("image", "image/png", "AA", detail="low"),
        MediaPart("document", "application/pdf", "BB", name="a.pdf"),
        MediaPart("document", url="https://example.org/a.pdf"),
    ]


def test_tools_and_tool_choice_are_read(reading: Reading) -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    tools = [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False},
        {"type": "custom", "name": "g", "format": grammar},
        {"type": "web_search"},
    ]
    request, lost = reading("responses", tools=tools, tool_choice={"type": "function", "name": "f"})
    first, second = request.tools
    assert first == ToolDefinition("f", schema={"type": "object"}, strict=False)
    assert second.custom
    assert second.grammar == {"syntax": "lark", "definition": "start: X"}
    assert request.tool_choice == ToolChoice("required", ["f"])
    assert lost == ["hosted_tools"]
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}
    assert reading("responses", tool_choice=allowed)[0].tool_choice == ToolChoice("required", ["f"])


def test_other_fields_are_read_or_dropped(reading: Reading) -> None:
    request, lost = reading(
        "responses",
        text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results"],
        truncation="auto",
        store=True,
        prompt_cache_retention="24h",
    )
    assert request.format == JsonFormat({"type": "object"}, "a")
    assert request.reasoning == Reasoning(True, "high", shown=True)
    assert (request.verbosity, request.logprobs) == ("low", 0)
    assert lost == ["store", "prompt_cache_options", "truncation", "include"]
    assert reading("responses", reasoning={"effort": "none"})[0].reasoning == Reasoning(False)
    assert reading("responses", text={"format": {"type": "json_object"}})[0].format == JsonFormat()


@pytest.mark.parametrize(
    "given",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "p"}},
        {"input": [{"type": "item_reference", "id": "x"}]},
        {"input": [{"role": "robot", "content": "a"}]},
        {"input": [{"role": "user", "content": [{"type": "smell"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        {"input": 5},
        {"tool_choice": "perhaps"},
        {"tool_choice": {"type": "web_search"}},
        {"text": {"format": {"type": "xml"}}},
    ],
)
def test_request_with_untranslatable_or_bad_fields_is_refused(reading: Reading, given: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        reading("responses", **given)


def test_results_of_hosted_tools_are_left_out(reading: Reading) -> None:
    request, lost = reading(
        "responses", input=[{"type": "web_search_call", "id": "w"}, {"role": "user", "content": "a"}]
    )
    assert request.turns == [Turn("user", [TextPart("a")])]
    assert lost == ["hosted_tool_results"]
