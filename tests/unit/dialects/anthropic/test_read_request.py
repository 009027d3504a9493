from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.signature_tagging import tag_signature
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

Reading = Callable[..., tuple[Any, list[str]]]
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def test_conversation_with_thoughts_and_results_is_read_as_turns(reading: Reading) -> None:
    foreign = Thinking("so", "e", "responses", of="rs_1")
    assistant = [
        {"type": "thinking", "thinking": "so", "signature": "s"},
        {"type": "thinking", "thinking": "so", "signature": tag_signature(foreign, "messages")},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "c", "content": "7", "is_error": True},
        {"type": "text", "text": "Go on", **MARK},
    ]
    request, lost = reading(
        "messages",
        system=[{"type": "text", "text": "Be kind.", **MARK}],
        messages=[
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": assistant},
            {"role": "user", "content": results},
        ],
    )
    assert request.turns == [
        Turn("system", [TextPart("Be kind.", "1h")]),
        Turn("user", [TextPart("Hello")]),
        Turn(
            "assistant",
            [
                Thinking("so", "s", "messages"),
                foreign,
                Thinking("", "d", "messages", redacted=True),
                ToolCall("c", "f", '{"a":1}'),
            ],
        ),
        Turn("user", [ToolResult("c", [TextPart("7")], is_error=True), TextPart("Go on", "1h")]),
    ]
    assert lost == []


def test_media_blocks_of_each_kind_are_read(reading: Reading) -> None:
    blocks = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "long"}, "title": "T"},
        {"type": "document", "source": {"type": "content", "content": "inner"}, "citations": {"enabled": True}},
        {"type": "search_result", "title": "T", "source": "s", "content": [{"type": "text", "text": "x"}]},
    ]
    request, lost = reading("messages", messages=[{"role": "user", "content": blocks}])
    assert request.turns[0].parts == [
        MediaPart("image", "image/png", "AA"),
        MediaPart("image", url="https://example.org/a.png"),
        MediaPart("document", "text/plain", text="long", name="T"),
        MediaPart("document", "text/plain", text="inner"),
        TextPart("T\ns\nx"),
    ]
    assert lost == ["citations", "search_result"]


def test_tools_and_tool_choice_are_read(reading: Reading) -> None:
    tools = [
        {"name": "f", "input_schema": {"type": "object"}, "strict": True, **MARK},
        {"type": "web_search_20250305", "name": "web_search"},
    ]
    choice = {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
    request, lost = reading("messages", tools=tools, tool_choice=choice)
    assert request.tools == [ToolDefinition("f", schema={"type": "object"}, strict=True, cache="1h")]
    assert request.tool_choice == ToolChoice("required", ["f"])
    assert request.parallel_calls is False
    assert lost == ["hosted_tools"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(True, "", 2000, shown=True)),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(True)),
        ({"thinking": {"type": "disabled"}}, Reasoning(False)),
        ({"output_config": {"effort": "low"}}, Reasoning(None, "low")),
    ],
)
def test_thinking_settings_are_read_as_reasoning(
    reading: Reading, given: dict[str, Any], wanted: Reasoning | None
) -> None:
    assert reading("messages", **given)[0].reasoning == wanted


def test_other_fields_are_read_or_dropped(reading: Reading) -> None:
    form = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    request, lost = reading(
        "messages",
        output_config=form,
        metadata={"user_id": "u"},
        stop_sequences=["x"],
        context_management={"a": 1},
        new=1,
    )
    assert request.format == JsonFormat({"type": "object"}, strict=True)
    assert (request.user, request.stop) == ("u", ["x"])
    assert lost == ["context_management", "other"]


def test_results_of_hosted_tools_are_left_out(reading: Reading) -> None:
    blocks = [{"type": "server_tool_use", "id": "s"}, {"type": "web_search_tool_result"}, {"type": "text", "text": "a"}]
    request, lost = reading("messages", messages=[{"role": "assistant", "content": blocks}])
    assert request.turns == [Turn("assistant", [TextPart("a")])]
    assert lost == ["hosted_tool_results"]


def test_system_block_within_a_message_becomes_a_system_turn(reading: Reading) -> None:
    block = {"type": "mid_conv_system", "content": [{"type": "text", "text": "now"}]}
    request, _ = reading("messages", messages=[{"role": "user", "content": [block, {"type": "text", "text": "a"}]}])
    assert request.turns == [Turn("system", [TextPart("now")]), Turn("user", [TextPart("a")])]


@pytest.mark.parametrize(
    "given",
    [
        {"container": "c"},
        {"mcp_servers": [{"name": "a"}]},
        {"messages": [{"role": "robot", "content": "a"}]},
        {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]},
        {"tool_choice": {"type": "perhaps"}},
        {"system": 5},
    ],
)
def test_request_with_untranslatable_or_bad_fields_is_refused(reading: Reading, given: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        reading("messages", **given)
