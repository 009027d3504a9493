from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import (
    JsonFormat,
    Reasoning,
    TextPart,
    Thinking,
    ToolChoice,
    ToolDefinition,
    Turn,
)
from softix_proxy.domain.core.errors import RefusedError

Reading = Callable[..., tuple[Any, list[str]]]
OWN = "generate_content"


def test_conversation_with_thoughts_is_read_as_turns(reading: Reading) -> None:
    request, lost = reading(
        OWN,
        system_instruction={"parts": [{"text": "Be "}, {"text": "kind."}]},
        contents=[
            {"parts": [{"text": "a"}, {"text": "b"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "so ", "thought": True},
                    {"text": "it is", "thought": True},
                    {"text": "", "thought": True, "thoughtSignature": "g"},
                    {"text": "c"},
                    {"text": "d"},
                ],
            },
        ],
    )
    assert request.turns == [
        Turn("system", [TextPart("Be kind.")]),
        Turn("user", [TextPart("a"), TextPart("b")]),
        Turn("assistant", [Thinking("so it is", "g", OWN), TextPart("cd")]),
    ]
    assert lost == []
    alone = reading(OWN, contents={"role": "user", "parts": {"text": "a"}}, systemInstruction="Be kind.")[0]
    assert alone.turns == [Turn("system", [TextPart("Be kind.")]), Turn("user", [TextPart("a")])]


def test_tools_and_tool_choice_are_read(reading: Reading) -> None:
    declared = [
        {"name": "f", "description": "d", "parameters": {"type": "OBJECT"}},
        {"name": "g", "parametersJsonSchema": {"type": "object", "x": 1}},
    ]
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}
    request, lost = reading(OWN, tools=[{"functionDeclarations": declared}, {"googleSearch": {}}], toolConfig=config)
    assert request.tools == [
        ToolDefinition("f", "d", {"type": "object"}),
        ToolDefinition("g", schema={"type": "object", "x": 1}),
    ]
    assert request.tool_choice == ToolChoice("required", ["f"])
    assert lost == ["hosted_tools"]
    assert reading(OWN, toolConfig={"functionCallingConfig": {"mode": "NONE"}})[0].tool_choice == ToolChoice("none", [])


def test_generation_config_is_read(reading: Reading) -> None:
    config = {
        "temperature": 0.5,
        "top_k": 40.0,
        "maxOutputTokens": 9,
        "stopSequences": ["x"],
        "candidateCount": 2,
        "responseLogprobs": True,
        "logprobs": 3,
        "seed": 1,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT"},
    }
    request, lost = reading(OWN, generationConfig=config, serviceTier="SERVICE_TIER_FLEX")
    assert (request.temperature, request.top_k, request.max_output_tokens, request.choices) == (0.5, 40, 9, 2)
    assert (request.stop, request.logprobs, request.seed, request.service_tier) == (["x"], 3, 1, "flex")
    assert request.format == JsonFormat({"type": "object"}, strict=True)
    assert lost == []
    assert reading(OWN, generationConfig={"responseMimeType": "application/json"})[0].format == JsonFormat()


@pytest.mark.parametrize(
    ("thinking", "wanted"),
    [
        ({}, None),
        ({"thinkingBudget": 0}, Reasoning(False)),
        ({"thinkingBudget": -1, "includeThoughts": True}, Reasoning(True, shown=True)),
        ({"thinkingBudget": 500}, Reasoning(True, "", 500)),
        ({"thinkingLevel": "LOW"}, Reasoning(True, "low")),
    ],
)
def test_thinking_config_is_read_as_reasoning(
    reading: Reading, thinking: dict[str, Any], wanted: Reasoning | None
) -> None:
    assert reading(OWN, generationConfig={"thinkingConfig": thinking})[0].reasoning == wanted


def test_fields_without_a_translation_are_dropped(reading: Reading) -> None:
    config = {"mediaResolution": "LOW", "new": 1}
    _, lost = reading(OWN, labels={"a": "b"}, safetySettings=[{}], generationConfig=config)
    assert lost == ["labels", "safety_settings", "media_resolution", "other"]


@pytest.mark.parametrize(
    "given",
    [
        {"cachedContent": "c"},
        {"generationConfig": {"responseModalities": ["IMAGE"]}},
        {"generationConfig": {"speechConfig": {"a": 1}}},
        {"contents": [{"role": "robot", "parts": []}]},
        {"contents": "a"},
    ],
)
def test_request_with_untranslatable_or_bad_fields_is_refused(reading: Reading, given: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        reading(OWN, **given)
