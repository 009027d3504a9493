from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import (
    JsonFormat,
    MediaPart,
    Reasoning,
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


def test_tool_results_are_written_as_messages_of_their_own(writing: Writing) -> None:
    image = MediaPart("image", "image/png", "AA")
    turns = [
        Turn("assistant", [TextPart("Wait."), ToolCall("a", "f", '{"x":1}'), ToolCall("b", "f")]),
        Turn(
            "user",
            [
                ToolResult("a", [TextPart("1"), image]),
                ToolResult("b", [TextPart("2")], is_error=True),
                TextPart("Go on."),
            ],
        ),
    ]
    body, lost = writing("chat_completions", turns=turns)
    assistant, first, second, user = body["messages"]
    assert assistant["content"] == "Wait."
    assert [call["function"]["arguments"] for call in assistant["tool_calls"]] == ['{"x":1}', "{}"]
    assert (first["role"], first["tool_call_id"], first["content"], second["content"]) == ("tool", "a", "1", "2")
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert lost == ["tool_result_media", "is_error"]


def test_thoughts_are_written_only_for_models_that_read_them(writing: Writing) -> None:
    own, foreign = Thinking("so"), Thinking("so", "s", "messages")
    turn = [Turn("assistant", [own, foreign, TextPart("a")]), Turn("user", [TextPart("b")])]
    body, lost = writing("chat_completions", turns=turn, model="deepseek-chat")
    assert body["messages"][0]["reasoning_content"] == "so"
    assert "reasoning_details" not in body["messages"][0]
    assert lost == ["thinking"]
    assert "reasoning_content" not in writing("chat_completions", turns=turn, model="gpt-5")[0]["messages"][0]


def test_streaming_request_asks_for_usage(writing: Writing) -> None:
    assert writing("chat_completions", stream=True)[0]["stream_options"] == {"include_usage": True}
    assert "stream" not in writing("chat_completions")[0]


@pytest.mark.parametrize(
    ("reasoning", "effort", "lost"),
    [
        (Reasoning(True, "low"), "low", []),
        (Reasoning(True, "max"), "xhigh", []),
        (Reasoning(True, "", 2000), "low", ["thinking_budget"]),
        (Reasoning(True, "", 10_000), "medium", ["thinking_budget"]),
        (Reasoning(True, "", 30_000), "high", ["thinking_budget"]),
        (Reasoning(True), None, []),
        (Reasoning(False), None, []),
    ],
)
def test_reasoning_is_written_as_effort(
    writing: Writing, reasoning: Reasoning, effort: str | None, lost: list[str]
) -> None:
    body, found = writing("chat_completions", model="gpt-5", reasoning=reasoning)
    assert (body.get("reasoning_effort"), found) == (effort, lost)


def test_reasoning_for_a_model_that_does_not_reason_is_dropped(writing: Writing) -> None:
    body, lost = writing("chat_completions", model="gpt-4o", reasoning=Reasoning(True, "low"))
    assert "reasoning_effort" not in body
    assert lost == ["reasoning"]


def test_tools_and_tool_choice_are_written(writing: Writing) -> None:
    tools = [ToolDefinition("f", "d", {"type": "object"}, True, cache="5m"), ToolDefinition("g", custom=True)]
    body, lost = writing(
        "chat_completions", tools=tools, tool_choice=ToolChoice("required", ["g"]), parallel_calls=False
    )
    assert body["tools"][0]["function"] == {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object"},
        "strict": True,
    }
    assert body["tool_choice"] == {"type": "custom", "custom": {"name": "g"}}
    assert body["parallel_tool_calls"] is False
    assert lost == ["cache_control"]
    several = writing("chat_completions", tools=tools, tool_choice=ToolChoice("auto", ["f", "g"]))[0]["tool_choice"]
    assert several["allowed_tools"]["mode"] == "auto"
    assert "tool_choice" not in writing("chat_completions", tool_choice=ToolChoice("auto"))[0]


def test_documents_are_written_as_text_or_data(writing: Writing) -> None:
    text = MediaPart("document", "text/plain", text="long", name="Title", context="c")
    data = MediaPart("document", "application/pdf", "AA", context="c")
    body, lost = writing("chat_completions", turns=[Turn("user", [text, data])])
    first, second = body["messages"][0]["content"]
    assert first["text"] == "Title\n\nlong"
    assert second["file"]["file_data"] == "data:application/pdf;base64,AA"
    assert lost == ["text_document", "document_context"]


@pytest.mark.parametrize(
    "media",
    [
        MediaPart("document", url="https://example.org/a.pdf"),
        MediaPart("video", "video/mp4", "AA"),
        MediaPart("audio", "audio/ogg", "AA"),
    ],
)
def test_media_of_an_unsupported_type_is_refused(writing: Writing, media: MediaPart) -> None:
    with pytest.raises(RefusedError):
        writing("chat_completions", turns=[Turn("user", [media])])


def test_formats_and_limits_are_written(writing: Writing) -> None:
    body, lost = writing(
        "chat_completions",
        format=JsonFormat({"type": "object"}),
        max_output_tokens=5,
        top_k=3,
        service_tier="standard_only",
    )
    assert body["response_format"]["json_schema"] == {"name": "answer", "schema": {"type": "object"}}
    assert (body["max_completion_tokens"], body["service_tier"]) == (5, "default")
    assert lost == ["top_k"]
    assert writing("chat_completions", format=JsonFormat())[0]["response_format"] == {"type": "json_object"}
