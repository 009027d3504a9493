from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import JsonFormat, Reasoning, TextPart, ToolChoice, ToolDefinition, Turn

Writing = Callable[..., tuple[dict[str, Any], list[str]]]
OWN = "generate_content"


def test_conversation_with_a_system_turn_is_written_as_contents(writing: Writing) -> None:
    turns = [Turn("system", [TextPart("Be kind.")]), Turn("user", [TextPart("a")]), Turn("assistant", [TextPart("b")])]
    body, lost = writing(OWN, turns=turns)
    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model"]
    assert lost == ["prefill"]


def test_tools_and_tool_choice_are_written(writing: Writing) -> None:
    schema = {"$schema": "x", "type": "object"}
    tools = [ToolDefinition("f", "d", schema, True, cache="5m"), ToolDefinition("g")]
    body, lost = writing(OWN, tools=tools, tool_choice=ToolChoice("required", ["f"]), parallel_calls=False)
    declared = body["tools"][0]["functionDeclarations"]
    assert declared == [{"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}}, {"name": "g"}]
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "ANY", "allowedFunctionNames": ["f"]}
    assert lost == ["cache_control", "parallel_calls", "strict"]
    auto = writing(OWN, tools=tools, tool_choice=ToolChoice("auto", ["g"]))[0]
    assert [tool["name"] for tool in auto["tools"][0]["functionDeclarations"]] == ["g"]
    assert auto["toolConfig"]["functionCallingConfig"] == {"mode": "AUTO"}


def test_generation_config_is_written(writing: Writing) -> None:
    body, lost = writing(
        OWN,
        temperature=0,
        top_k=3,
        choices=2,
        max_output_tokens=9,
        stop=["x"],
        logprobs=2,
        format=JsonFormat({"type": "object"}),
        service_tier="priority",
    )
    assert body["generationConfig"] == {
        "temperature": 0,
        "topK": 3,
        "candidateCount": 2,
        "maxOutputTokens": 9,
        "stopSequences": ["x"],
        "responseLogprobs": True,
        "logprobs": 2,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }
    assert body["serviceTier"] == "priority"
    assert lost == []


@pytest.mark.parametrize(
    ("model", "reasoning", "wanted", "lost"),
    [
        (
            "gemini-3-pro",
            Reasoning(True, "high", shown=True),
            {"thinkingLevel": "high", "includeThoughts": True},
            False,
        ),
        ("gemini-3-pro", Reasoning(True, "max"), {"thinkingLevel": "high"}, True),
        ("gemini-3-pro", Reasoning(True, "minimal"), {"thinkingLevel": "low"}, True),
        ("gemini-3-flash", Reasoning(False), {"thinkingLevel": "minimal"}, True),
        ("gemini-3-flash", Reasoning(True, "", 99), {"thinkingBudget": 99}, False),
        ("gemini-2.5-flash", Reasoning(False), {"thinkingBudget": 0}, False),
        ("gemini-2.5-pro", Reasoning(False), {"thinkingBudget": 128}, False),
        ("gemini-2.5-pro", Reasoning(True, "low"), {"thinkingBudget": 1024}, True),
        ("gemini-2.5-pro", Reasoning(True, "", 99), {"thinkingBudget": 99}, False),
    ],
)
def test_reasoning_is_written_as_thinking_config_of_the_model(
    writing: Writing, model: str, reasoning: Reasoning, wanted: Any, lost: bool
) -> None:
    body, found = writing(OWN, model=model, reasoning=reasoning)
    assert body["generationConfig"]["thinkingConfig"] == wanted
    assert found == (["reasoning_effort"] if lost else [])


def test_fields_without_a_translation_are_dropped(writing: Writing) -> None:
    lost = writing(OWN, verbosity="low", metadata={"a": "b"}, user="u", cache_key="k", service_tier="scale")[1]
    assert lost == ["verbosity", "metadata", "user", "prompt_cache_key", "service_tier"]
