"""The table of names against the request types of Anthropic's SDK, and what only looks like a name."""

from __future__ import annotations

import json
from typing import Any

from anthropic.types import message_create_params
from anthropic.types.beta import message_count_tokens_params
from anthropic.types.beta import message_create_params as beta_params
from support.sdk_types import members

from softix_proxy.dialects.anthropic.references import RULES
from softix_proxy.dialects.core.request_headers import FAMILIES
from softix_proxy.dialects.registry import ENDPOINTS

TYPES = (
    beta_params.MessageCreateParamsNonStreaming,
    message_count_tokens_params.MessageCountTokensParams,
    message_create_params.MessageCreateParamsNonStreaming,
)
HEADERS = {"workspace_id": "anthropic-workspace-id"}
"""The members that the SDK sends as headers."""
EXCEPTIONS = {"user_id": "tells the client's users apart where the provider watches for abuse; nothing is read by it"}


def test_each_member_of_the_sdk_that_looks_like_a_name_is_in_the_table_or_an_exception() -> None:
    found = members(*TYPES)
    assert len(found) > 1500
    named = [member for member in found if member.looks_like_a_name and member.plain not in RULES.kinds]
    unknown = [str(each) for each in named if each.plain not in RULES.harmless and each.name not in HEADERS]
    assert [each for each in unknown if each.partition(".")[2] not in EXCEPTIONS] == []


def test_headers_that_name_things_are_not_passed() -> None:
    assert not FAMILIES["anthropic"].keys() & set(HEADERS.values())


def read(**body: Any) -> Any:
    return ENDPOINTS["messages"].read(json.dumps({"model": "m", "max_tokens": 5, **body}).encode())


def test_own_data_of_the_client_names_nothing() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"file_id": "x"}}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "file_id"}, image]}
    messages = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    tools = [{"name": "n", "input_schema": {"properties": {"file_id": {}}}}, {"type": "bash_20250124", "name": "bash"}]
    system = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
    spec = read(messages=messages, tools=tools, system=system, metadata={"user_id": "u"}, thread={"type": "create"})
    assert spec.refs == () and "message" in spec.stored_kinds


def test_block_whose_type_is_given_twice_cannot_hide_a_file() -> None:
    block = b'{"type":"document","type":"text","text":"x","source":{"type":"file","file_id":"f"}}'
    body = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[%b]}]}' % block
    try:
        found = ENDPOINTS["messages"].read(body).refs
    except Exception as error:
        assert "twice" in str(error)
    else:
        assert [ref.id for ref in found] == ["f"]
