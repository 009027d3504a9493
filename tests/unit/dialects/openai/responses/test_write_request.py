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

Writing = Callable[..., tuple[dict[str, Any], list[str]]]


def test_turns_are_written_as_input_items(writing: Writing) -> None:
    turns = [
        Turn("system", [TextPart("Be kind.")]),
        Turn("system", [TextPart("Be brief.")]),
        Turn("user", [TextPart("a"), MediaPart("image", "image/png", "AA")]),
        Turn(
            "assistant",
            [
                Thinking("so", "e", "responses", of="rs_1"),
                Thinking("so", "s", "messages"),
                TextPart("b"),
                RefusalPart("No."),
                ToolCall("x", "f"),
                ToolCall("y", "g", "text", custom=True),
            ],
        ),
        Turn("user", [ToolResult("x", [TextPart("1")]), ToolResult("y", [TextPart("2")], custom=True)]),
        Turn("system", [TextPart("Now.")]),
    ]
    body, lost = writing("responses", turns=turns)
    assert body["instructions"] == "Be kind.\n\nBe brief."
    user, thought, said, call, custom, first, second, later = body["input"]
    assert [part["type"] for part in user["content"]] == ["input_text", "input_image"]
    assert (thought["encrypted_content"], thought["id"]) == ("e", "rs_1")
    assert [part["type"] for part in said["content"]] == ["output_text", "refusal"]
    assert (call["arguments"], custom["input"]) == ("{}", "text")
    assert (first["type"], first["output"]) == ("function_call_output", "1")
    assert (second["type"], second["output"]) == ("custom_tool_call_output", "2")
    assert later["role"] == "developer"
    assert lost == ["thinking"]


def test_request_is_never_stored_and_includes_encrypted_reasoning(writing: Writing) -> None:
    body, _ = writing("responses", model="gpt-5", logprobs=2)
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert "include" not in writing("responses", model="gpt-4o")[0]


def test_tools_and_tool_choice_are_written(writing: Writing) -> None:
    tools = [ToolDefinition("f", "d"), ToolDefinition("g", custom=True, grammar={"syntax": "lark", "definition": "x"})]
    body, _ = writing("responses", tools=tools, tool_choice=ToolChoice("auto", ["f", "g"]))
    assert body["tools"][0]["strict"] is False
    assert body["tools"][1]["format"] == {"type": "grammar", "syntax": "lark", "definition": "x"}
    assert [tool["type"] for tool in body["tool_choice"]["tools"]] == ["function", "custom"]
    named = writing("responses", tools=tools, tool_choice=ToolChoice("required", ["f"]))[0]["tool_choice"]
    assert named == {"type": "function", "name": "f"}


def test_reasoning_and_formats_are_written(writing: Writing) -> None:
    body, _ = writing("responses", model="gpt-5", reasoning=Reasoning(True, "low", shown=True), format=JsonFormat())
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["text"] == {"format": {"type": "json_object"}}
    form = writing("responses", format=JsonFormat({"type": "object"}, strict=True), verbosity="low")[0]["text"]
    assert (form["format"]["name"], form["format"]["strict"], form["verbosity"]) == ("answer", True, "low")


def test_fields_without_a_translation_are_dropped(writing: Writing) -> None:
    turns = [
        Turn("user", [TextPart("a", "5m"), MediaPart("document", text="long")]),
        Turn("assistant", [TextPart("b")]),
    ]
    lost = writing("responses", turns=turns, seed=1, frequency_penalty=1, presence_penalty=1, top_k=1)[1]
    assert set(lost) == {
        "cache_control",
        "text_document",
        "prefill",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "top_k",
    }
    results = [Turn("user", [ToolResult("x", [TextPart("1"), MediaPart("image", "image/png", "AA")], is_error=True)])]
    body, lost = writing("responses", turns=results)
    assert [part["type"] for part in body["input"][0]["output"]] == ["input_text", "input_image"]
    assert lost == ["is_error"]


@pytest.mark.parametrize(
    "fields",
    [{"choices": 2}, {"stop": ["x"]}, {"turns": [Turn("user", [MediaPart("audio", "audio/wav", "AA")])]}],
)
def test_request_with_untranslatable_fields_is_refused(writing: Writing, fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        writing("responses", **fields)
