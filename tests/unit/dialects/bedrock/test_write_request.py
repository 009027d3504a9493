from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import (
    JsonFormat,
    Reasoning,
    TextPart,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Turn,
)

Writing = Callable[..., tuple[dict[str, Any], list[str]]]
NEW, OLD = "us.anthropic.claude-sonnet-4-6-v1:0", "anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA, OSS = "amazon.nova-pro-v1:0", "openai.gpt-oss-120b-1:0"
ASK = [Turn("system", [TextPart("Be kind.")]), Turn("user", [TextPart("a")])]
USED = [Turn("assistant", [ToolCall("c", "f", "{}")]), Turn("user", [ToolResult("c", [TextPart("1")])])]
SPEC = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}


def test_request_with_supported_fields_is_written_without_losses(writing: Writing) -> None:
    fields: dict[str, Any] = {"max_output_tokens": 50, "temperature": 0.5, "top_p": 0.9, "stop": ["x", ""]}
    body, lost = writing(
        "converse", NEW, turns=ASK, **fields, service_tier="flex", format=JsonFormat({"type": "object"})
    )
    assert body == {
        "system": [{"text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"text": "a"}]}],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]},
        "outputConfig": {
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}'}}}
        },
        "serviceTier": {"type": "flex"},
    }
    assert lost == []


@pytest.mark.parametrize(
    ("model", "fields", "more", "lost"),
    [
        (NEW, {"top_k": 5, "reasoning": Reasoning(True, "high")}, {"thinking": {"type": "adaptive"}}, []),
        (
            OLD,
            {"reasoning": Reasoning(True, budget=2000)},
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            [],
        ),
        (NOVA, {"top_k": 5}, {"inferenceConfig": {"topK": 5}}, []),
        (OSS, {"reasoning": Reasoning(True, "xhigh")}, {"reasoning_effort": "high"}, []),
        (OSS, {"top_k": 5}, {}, ["top_k"]),
        (NOVA, {"reasoning": Reasoning(True, "low")}, {}, ["reasoning"]),
    ],
)
def test_request_fields_of_a_model_are_written_as_additional_fields(
    writing: Writing, model: str, fields: dict[str, Any], more: dict[str, Any], lost: list[str]
) -> None:
    body, found = writing("converse", model, turns=ASK, **fields)
    said = body.get("additionalModelRequestFields", {})
    assert said.items() >= more.items() and found == lost
    if model == NEW:
        assert (said["top_k"], said["output_config"]) == (5, {"effort": "high"})
    if model == OLD:
        assert body["inferenceConfig"]["maxTokens"] > 2000


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (None, None),
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("required", ["f"]), {"tool": {"name": "f"}}),
    ],
)
def test_tools_and_tool_choice_are_written(writing: Writing, choice: ToolChoice | None, written: Any) -> None:
    body, lost = writing("converse", NEW, turns=ASK, tools=[ToolDefinition("f", cache="5m")], tool_choice=choice)
    assert body["toolConfig"]["tools"] == [SPEC, {"cachePoint": {"type": "default"}}]
    assert (body["toolConfig"].get("toolChoice"), lost) == (written, [])


def test_tool_choice_none_leaves_the_tools_out_unless_they_were_used(writing: Writing) -> None:
    none = ToolChoice("none")
    assert "toolConfig" not in writing("converse", NEW, turns=ASK, tools=[ToolDefinition("f")], tool_choice=none)[0]
    body, lost = writing("converse", NEW, turns=[*ASK, *USED], tools=[ToolDefinition("f")], tool_choice=none)
    assert body["toolConfig"] == {"tools": [SPEC]}
    assert (len(body["system"]), lost) == (2, ["tool_choice"])
    body, lost = writing("converse", NEW, turns=[*ASK, *USED])
    assert (body["toolConfig"], lost) == ({"tools": [SPEC]}, ["tools_of_before", "tool_choice"])


def test_fields_without_a_translation_are_dropped(writing: Writing) -> None:
    fields: dict[str, Any] = {"seed": 1, "user": "u", "parallel_calls": False, "format": JsonFormat(), "cache": "5m"}
    body, lost = writing("converse", NEW, turns=ASK, **fields)
    assert lost == ["seed", "parallel_calls", "user", "json_object"]
    assert body["messages"][0]["content"][-1] == {"cachePoint": {"type": "default"}}
