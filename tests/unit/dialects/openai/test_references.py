"""The tables of names against the request types of OpenAI's SDK, and the rule of items without their content."""

from __future__ import annotations

import json
import typing
from typing import Any

import pytest
from openai.types.audio import speech_create_params
from openai.types.chat import completion_create_params
from openai.types.realtime import realtime_client_event_param
from openai.types.responses import input_token_count_params, response_create_params
from support.sdk_types import SdkMember, members

from softix_proxy.dialects.openai.references import RULES, TOP_RULES
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.tags import INNER
from softix_proxy.domain.access.objects import ObjectRef

RESPONSES, INPUT_TOKENS, CHAT = ENDPOINTS["responses"], ENDPOINTS["input_tokens"], ENDPOINTS["chat_completions"]
TYPES = (
    response_create_params.ResponseCreateParamsNonStreaming,
    input_token_count_params.InputTokenCountParams,
    completion_create_params.CompletionCreateParamsNonStreaming,
    speech_create_params.SpeechCreateParams,
    *typing.get_args(realtime_client_event_param.RealtimeClientEventParam),
)
IDS = {
    "Audio": "the `id` of a member that the table has: `audio`",
    "OutputVoiceID": "the `id` of `voice`",
    "VoiceID": "the `id` of `voice`",
    "ResponseConversationParamParam": "the `id` of `conversation`",
    "ResponsePromptParam": "the `id` of `prompt`",
    "ChatCompletionMessageCustomToolCallParam": "the id of a call",
    "ChatCompletionMessageFunctionToolCallParam": "the id of a call",
    "ComputerCallOutputAcknowledgedSafetyCheck": "a check that the provider asked the client for",
    "PendingSafetyCheck": "a check that the provider asked the client for",
}
"""The types whose `id` is not that of an input item, and what it is."""
EXCEPTIONS = {
    ".".join(("BackgroundOptions", INNER[1])): "a word of the client's, which is sent as a tag",
    "TracingConfiguration.group_id": "groups the client's own traces in the operator's console; nothing is read by it",
}
ITEM_TYPES = ("Call", "Output", "Item", "Param", "Response", "Request", "Tools", "Reference", "Trigger", "Program")


def test_each_member_of_the_sdk_that_looks_like_a_name_is_in_the_table_or_an_exception() -> None:
    found = members(*TYPES)
    assert len(found) > 900
    unknown = [str(member) for member in found if member.looks_like_a_name and not is_known(member)]
    assert unknown == [], "put the member into a table of softix_proxy/dialects/openai/references.py, or here with why"


def is_known(member: SdkMember) -> bool:
    if member.plain in TOP_RULES.kinds or member.plain in RULES.harmless or str(member) in EXCEPTIONS:
        return True
    return member.name == "id" and (member.of in IDS or member.of.endswith(ITEM_TYPES))


def refs(endpoint: Any = RESPONSES, **body: Any) -> tuple[ObjectRef, ...]:
    found: tuple[ObjectRef, ...] = endpoint.read(json.dumps({"model": "m", **body}).encode()).refs
    return found


@pytest.mark.parametrize(
    "item",
    [
        {"id": "i"},
        {"type": "item_reference", "id": "i"},
        {"type": "message", "id": "i"},
        {"type": "message", "id": "i", "content": None},
        {"type": "reasoning", "id": "i", "summary": [{"type": "summary_text", "text": "x"}]},
        {"type": "image_generation_call", "id": "i", "result": None},
        {"type": "web_search_call", "id": "i", "status": "completed"},
    ],
)
def test_item_without_its_content_names_what_the_provider_keeps(item: dict[str, Any]) -> None:
    hello = {"role": "user", "content": [{"type": "input_image", "image_url": "https://a/b.png"}]}
    for items in ([item], [item, hello]):
        assert refs(input=items) == refs(INPUT_TOKENS, input=items) == (ObjectRef("item", "i"),)


@pytest.mark.parametrize(
    "item",
    [
        {
            "type": "message",
            "id": "i",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "x", "annotations": []}],
        },
        {"type": "reasoning", "id": "i", "summary": [], "encrypted_content": "e"},
        {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": '{"file_id":"x"}'},
        {"type": "function_call_output", "id": "i", "call_id": "c", "output": "file_id"},
        {"type": "web_search_call", "id": "i", "action": {"type": "search", "query": "q"}},
        {"type": "image_generation_call", "id": "i", "result": "aGk="},
        {"type": "mcp_call", "id": "i", "arguments": "{}", "name": "n", "server_label": "s", "output": "o"},
        {"type": "mcp_approval_response", "id": "i", "approval_request_id": "a", "approve": False},
        {
            "type": "computer_call",
            "id": "i",
            "call_id": "c",
            "action": {"type": "click"},
            "pending_safety_checks": [{"id": "s"}],
        },
        {"type": "local_shell_call", "id": "i", "call_id": "c", "action": {"type": "exec", "env": {"file_id": "x"}}},
        {"type": "compaction_trigger", "id": "i"},
    ],
)
def test_item_with_its_content_names_nothing(item: dict[str, Any]) -> None:
    assert refs(input=[item]) == ()


def test_own_data_of_the_client_names_nothing() -> None:
    schema = {"type": "object", "properties": {"file_id": {"type": "string"}}}
    tools = [
        {"type": "function", "name": "f", "parameters": schema},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g", "parameters": schema}]},
    ]
    formats = {"format": {"type": "json_schema", "name": "n", "schema": schema}}
    assert refs(input="x", tools=tools, text=formats, metadata={"file_id": "x"}) == ()
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"file_id": "x"}'}}
    image = {"type": "image_url", "image_url": {"url": "https://a/file_id"}}
    messages = [{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": [image]}]
    assert refs(CHAT, messages=messages, tools=[{"type": "function", "function": {"parameters": schema}}]) == ()


def test_part_whose_type_is_given_twice_cannot_hide_a_name() -> None:
    body = (
        b'{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f","type":"input_text"}]}]}'
    )
    with pytest.raises(Exception, match="twice"):
        RESPONSES.read(body)
    body = b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","file":{"file_id":"f"}}]}]}'
    assert CHAT.read(body).refs == (ObjectRef("file", "f"),)
