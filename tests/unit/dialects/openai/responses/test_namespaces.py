from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.types import CanonicalRequest, ResponseContext, ToolCall
from softix_proxy.dialects.openai.responses.namespaces import flat_name
from softix_proxy.dialects.translate import Translation, WriteOptions, translation

Reading = Callable[..., tuple[CanonicalRequest, list[str]]]

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
LOOK: Any = {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": False}
NOTE: Any = {"type": "custom", "name": "note", "description": "Notes."}
SHOP: Any = {"type": "namespace", "name": "mcp__shop", "description": "A shop.", "tools": [LOOK, NOTE]}
CALLED: Any = {"type": "function_call", "call_id": "c0", "namespace": "mcp__shop", "name": "look", "arguments": "{}"}
ANSWERED: Any = {"type": "function_call_output", "call_id": "c0", "output": "There."}


def asked(**fields: Any) -> tuple[Translation, dict[str, Any], tuple[str, ...]]:
    """The translation to Anthropic's, what it made of the request, and what was lost."""
    found = translation("responses", "messages", id="0a1b", now_s=1000)
    assert isinstance(found, Translation)
    body = {"model": "m", "input": [{"role": "user", "content": "Go."}, CALLED, ANSWERED], "tools": [SHOP], **fields}
    made = found.request(json.dumps(body).encode(), WriteOptions(model="claude", most_output_tokens=100))
    return found, json.loads(made.body), made.dropped


def answered(found: Translation, name: str, given: dict[str, str]) -> dict[str, Any]:
    block = {"type": "tool_use", "id": "c1", "name": name, "input": given}
    usage = {"input_tokens": 1, "output_tokens": 1}
    body = {"id": "msg_1", "model": "claude", "content": [block], "stop_reason": "tool_use", "usage": usage}
    told: dict[str, Any] = json.loads(found.answer(json.dumps(body).encode()))
    return told


def test_tools_of_a_namespace_get_it_in_their_names() -> None:
    _, body, lost = asked()
    assert [tool["name"] for tool in body["tools"]] == ["mcp__shop__look", "mcp__shop__note"]
    assert [tool["description"] for tool in body["tools"]] == ["A shop.\n\nLooks.", "Notes."]
    assert body["tools"][0]["input_schema"] == SCHEMA and "hosted_tools" not in lost
    [said] = [turn for turn in body["messages"] if turn["role"] == "assistant"]
    assert said["content"][0]["name"] == "mcp__shop__look"


def test_call_of_a_tool_in_a_namespace_comes_back_with_it() -> None:
    found, _, _ = asked()
    told = answered(found, "mcp__shop__look", {"id": "a"})
    [call] = told["output"]
    assert (call["type"], call["namespace"], call["name"]) == ("function_call", "mcp__shop", "look")
    assert told["tools"] == [SHOP]
    [noted] = answered(found, "mcp__shop__note", {"input": "text"})["output"]
    assert (noted["type"], noted["namespace"], noted["name"], noted["input"]) == (
        "custom_tool_call",
        "mcp__shop",
        "note",
        "text",
    )
    [other] = answered(found, "look", {})["output"]
    assert other["name"] == "look" and "namespace" not in other


def test_streamed_call_of_a_tool_in_a_namespace_comes_back_with_it() -> None:
    found, _, _ = asked(stream=True)
    usage = {"input_tokens": 1, "output_tokens": 1}
    call = {"type": "tool_use", "id": "c1", "name": "mcp__shop__look", "input": {}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "content": [], "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": usage},
        {"type": "message_stop"},
    ]
    frames = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    stream = found.stream()
    told = (stream.feed(frames.encode()) + stream.end()).decode()
    items = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: {")]
    seen = [item["item"] for item in items if "item" in item]
    assert len(seen) == 2 and all((item["namespace"], item["name"]) == ("mcp__shop", "look") for item in seen)
    [done] = [item for item in items if item["type"] == "response.function_call_arguments.done"]
    assert done["name"] == "look"
    assert items[-1]["response"]["output"][0]["namespace"] == "mcp__shop"


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "namespace": "mcp__shop", "name": "look"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"namespace": "mcp__shop", "name": "look"}]},
    ],
)
def test_tool_choice_with_a_namespace_names_the_flat_tool(choice: Any) -> None:
    _, body, _ = asked(tool_choice=choice)
    assert body["tool_choice"]["name"] == "mcp__shop__look"


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "function", "namespace": "mcp__shop", "name": "look"},
        {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [
                {"type": "function", "namespace": "mcp__shop", "name": "look"},
                {"type": "custom", "namespace": "mcp__shop", "name": "note"},
            ],
        },
    ],
)
def test_tool_choice_in_the_answer_is_the_one_of_the_request(choice: Any) -> None:
    found, _, _ = asked(tool_choice=choice)
    assert answered(found, "mcp__shop__look", {"id": "a"})["tool_choice"] == choice


def test_tools_of_a_namespace_in_the_input_are_read(reading: Reading) -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [SHOP, {**LOOK, "name": "own"}]}
    request, lost = reading("responses", input=[added, {"role": "user", "content": "Go."}])
    assert [tool.name for tool in request.tools] == ["mcp__shop__look", "mcp__shop__note", "own"]
    assert lost == [] and len(request.turns) == 1


def test_long_tool_names_in_a_namespace_are_cut_and_stay_unique(reading: Reading, context: ResponseContext) -> None:
    names = [f"{'long' * 20}_{number}" for number in range(2)]
    tools = [{**SHOP, "tools": [{**LOOK, "name": name} for name in names]}]
    request, _ = reading("responses", input=[{**CALLED, "name": names[1]}], tools=tools)
    flat = [tool.name for tool in request.tools]
    assert len(set(flat)) == 2 and all(len(name) == 64 for name in flat)
    [call] = request.turns[0].parts
    assert isinstance(call, ToolCall) and call.name == flat[1]


def test_flat_name_without_a_namespace_is_the_plain_name() -> None:
    assert flat_name({"name": "look"}) == "look" and flat_name({"namespace": None, "name": "look"}) == "look"
