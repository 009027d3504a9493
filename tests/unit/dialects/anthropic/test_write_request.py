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
LIMIT = {"max_output_tokens": 10_000}
OLD, NEW = "claude-sonnet-4-5-20250929", "claude-opus-4-6"


def test_cache_marks_are_written(writing: Writing) -> None:
    turns = [
        Turn("system", [TextPart("Be kind.", "1h")]),
        Turn("user", [TextPart("Look", "5m"), MediaPart("image", "image/png", "AA", cache="5m")]),
    ]
    tools = [ToolDefinition("f", cache="5m")]
    body, lost = writing("messages", turns=turns, tools=tools, cache="5m", **LIMIT)
    five, hour = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    assert body["system"] == [{"type": "text", "text": "Be kind.", "cache_control": hour}]
    assert [block["cache_control"] for block in body["messages"][0]["content"]] == [five, five]
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}, "cache_control": five}]
    assert body["cache_control"] == five
    assert lost == []


def test_turns_alternate_and_tool_results_come_first(writing: Writing) -> None:
    turns = [
        Turn("user", [TextPart("a")]),
        Turn("assistant", [TextPart(""), ToolCall("x", "f", '{"a":1}'), ToolCall("y", "g", "broken")]),
        Turn("user", [ToolResult("x", [TextPart("1")])]),
        Turn(
            "user",
            [TextPart("b"), ToolResult("y", [TextPart("2"), MediaPart("image", "image/png", "AA")], is_error=True)],
        ),
    ]
    first, second, third = writing("messages", turns=turns, **LIMIT)[0]["messages"]
    assert first == {"role": "user", "content": "a"}
    assert [block["input"] for block in second["content"]] == [{"a": 1}, {"INVALID_JSON": "broken"}]
    assert [block["type"] for block in third["content"]] == ["tool_result", "tool_result", "text"]
    assert third["content"][0]["content"] == "1"
    assert third["content"][1]["is_error"] is True


def test_thoughts_of_other_models_are_dropped(writing: Writing) -> None:
    own, redacted = Thinking("so", "s", "messages"), Thinking("", "d", "messages", redacted=True)
    foreign = Thinking("so", "e", "responses")
    turns = [Turn("assistant", [own, redacted, foreign, RefusalPart("No.")]), Turn("user", [TextPart("a")])]
    body, lost = writing("messages", turns=turns, **LIMIT)
    assert body["messages"][0]["content"] == [
        {"type": "thinking", "thinking": "so", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "No."},
    ]
    assert lost == ["thinking"]


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "config", "lost"),
    [
        (NEW, Reasoning(True, "minimal"), {"type": "adaptive"}, {"effort": "low"}, []),
        (NEW, Reasoning(True, shown=True), {"type": "adaptive", "display": "summarized"}, None, []),
        (NEW, Reasoning(None, "high"), None, {"effort": "high"}, []),
        ("unknown", Reasoning(True, "max"), {"type": "adaptive"}, {"effort": "max"}, []),
        (OLD, Reasoning(True, "low"), {"type": "enabled", "budget_tokens": 2048}, None, ["reasoning_effort"]),
        (OLD, Reasoning(True, "high"), {"type": "enabled", "budget_tokens": 8000}, None, ["reasoning_effort"]),
        (OLD, Reasoning(True, "", 500), {"type": "enabled", "budget_tokens": 1024}, None, []),
        (OLD, Reasoning(False), {"type": "disabled"}, None, []),
        ("claude-3-7-sonnet-latest", Reasoning(True, "", 5000), {"type": "enabled", "budget_tokens": 5000}, None, []),
    ],
)
def test_reasoning_is_written_as_thinking_of_the_model(
    writing: Writing, model: str, reasoning: Reasoning, thinking: Any, config: Any, lost: list[str]
) -> None:
    body, found = writing("messages", model=model, reasoning=reasoning, **LIMIT)
    assert (body.get("thinking"), body.get("output_config"), found) == (thinking, config, lost)


def test_thinking_with_conflicting_settings_is_resolved_with_a_loss(writing: Writing) -> None:
    reasoning = Reasoning(True, "low")
    forced = {"tools": [ToolDefinition("f")], "tool_choice": ToolChoice("required")}
    body, lost = writing("messages", model=OLD, reasoning=reasoning, **forced, **LIMIT)
    assert ("thinking" in body, body["tool_choice"], lost) == (False, {"type": "any"}, ["forced_tool_with_thinking"])
    body, lost = writing("messages", model=OLD, reasoning=reasoning, max_output_tokens=1000)
    assert ("thinking" in body, lost) == (False, ["reasoning_effort", "thinking_without_room"])
    body, lost = writing("messages", model=NEW, reasoning=reasoning, temperature=0, **LIMIT)
    assert ("temperature" in body, lost) == (False, ["temperature_with_thinking"])


def test_output_limit_when_missing_is_filled_in(writing: Writing) -> None:
    assert writing("messages")[0]["max_tokens"] == 8192
    body, lost = writing("messages", most=32_000)
    assert (body["max_tokens"], lost) == (32_000, ["no_output_limit"])


def test_tool_choice_of_each_kind_is_written(writing: Writing) -> None:
    tools = [ToolDefinition("f"), ToolDefinition("g"), ToolDefinition("h", custom=True)]

    def choice(**fields: Any) -> Any:
        return writing("messages", tools=tools, **fields, **LIMIT)[0]

    assert choice(parallel_calls=False)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert choice(tool_choice=ToolChoice("none"))["tool_choice"] == {"type": "none"}
    assert choice(tool_choice=ToolChoice("required", ["f"]))["tool_choice"] == {"type": "tool", "name": "f"}
    allowed = choice(tool_choice=ToolChoice("required", ["f", "g"]))
    assert (allowed["tool_choice"], [tool["name"] for tool in allowed["tools"]]) == ({"type": "any"}, ["f", "g"])
    assert "tool_choice" not in choice()
    assert choice()["tools"][2]["input_schema"]["required"] == ["input"]


def test_other_fields_are_written_or_dropped(writing: Writing) -> None:
    body, lost = writing(
        "messages",
        turns=[Turn("user", [TextPart("a")])],
        format=JsonFormat(),
        temperature=1.5,
        seed=1,
        frequency_penalty=1,
        presence_penalty=1,
        metadata={"a": "b"},
        user="u",
        verbosity="low",
        cache_key="k",
        service_tier="flex",
        **LIMIT,
    )
    assert "JSON" in body["system"]
    assert (body["temperature"], body["metadata"]) == (1, {"user_id": "u"})
    assert set(lost) == {
        "json_object",
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "metadata",
        "verbosity",
        "prompt_cache_key",
        "service_tier",
    }
    shape = writing("messages", format=JsonFormat({"type": "object"}), **LIMIT)[0]["output_config"]
    assert shape == {"format": {"type": "json_schema", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    "fields",
    [{"choices": 2}, {"logprobs": 0}, {"turns": [Turn("user", [MediaPart("audio", "audio/wav", "AA")])]}],
)
def test_request_with_untranslatable_fields_is_refused(writing: Writing, fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        writing("messages", **fields)
