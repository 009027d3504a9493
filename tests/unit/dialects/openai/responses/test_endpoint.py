from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

RESPONSES = ENDPOINTS["responses"]


def read(**fields: Any) -> Any:
    return RESPONSES.read(json.dumps({"model": "m", **fields}).encode())


def item(**fields: Any) -> Any:
    return [{"role": "user", "content": "a"}, fields]


@pytest.mark.parametrize(
    "fields",
    [
        {"background": True},
        {"background": True, "stream": True},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
        {"tools": [{"type": "image_generation"}]},
        {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]},
        {"tools": [{"type": "programmatic_tool_calling"}]},
        {"tools": [{"type": "function"}, {"type": "wombat"}]},
    ],
)
def test_request_that_cannot_be_metered_is_refused(fields: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        read(**fields)
    assert refused.value.code is Code.ENDPOINT_NOT_METERED and "wombat" not in refused.value.message


@pytest.mark.parametrize("fields", [{"background": False}, {"background": None}, {"store": True}, {"tools": None}])
def test_request_without_hosted_tools_counts_no_calls(fields: Any) -> None:
    assert read(**fields).calls == {}


@pytest.mark.parametrize(
    "kind", ["function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview", "namespace"]
)
def test_request_with_tools_of_the_client_counts_no_calls(kind: str) -> None:
    spec = read(tools=[{"type": kind}])
    assert spec.calls == {} and not spec.open_input


ADDED = '[{"role": "user", "content": "a"}, {"type": "additional_tools", "role": "developer", %s: [{"type": "%s"}]}]'


@pytest.mark.parametrize("name", ['"tools"', '"t\\u006fols"', '"Tools"', '"TOOLS"'])
def test_request_with_an_unmetered_tool_in_the_input_is_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        RESPONSES.read(f'{{"model": "m", "input": {ADDED % (name, "code_interpreter")}}}'.encode())


def test_request_with_hosted_tools_in_the_input_counts_their_calls() -> None:
    given = json.loads(ADDED % ('"tools"', "web_search"))
    found = {"type": "tool_search_output", "call_id": "c", "tools": [{"type": "web_search"}, {"type": "function"}]}
    assert read(input=given).calls == {"web_search_calls": 10}
    assert read(input=[*given, found], tools=[{"type": "file_search"}]).calls == {
        "web_search_calls": 20,
        "tool_calls": 10,
    }
    assert read(input=[*given, found], max_tool_calls=3).calls == {"web_search_calls": 3}
    assert read(input=given).open_input and read(input=[{**given[1], "tools": None}]).calls == {}


def test_request_with_remote_tools_has_open_input() -> None:
    assert read(tools=[{"type": "mcp", "server_url": "https://tools.example"}]).open_input


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": {"id": "conv_1"}},
        {"prompt": {"id": "pmpt_1"}},
        {"context_management": [{"type": "compaction"}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.example"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        {"input": item(type="item_reference", id="msg_1")},
        {"input": item(type="computer_call_output", output={"type": "computer_screenshot"})},
    ],
)
def test_request_with_stored_or_media_input_has_open_input(fields: Any) -> None:
    assert read(**fields).open_input


@pytest.mark.parametrize(
    "value",
    [
        "text",
        item(role="user", content=[{"type": "input_text", "text": "a"}]),
        item(type="reasoning", summary=[], encrypted_content="AAAA"),
        item(type="function_call", name="f", arguments="{}"),
        item(type="function_call_output", call_id="c", output="a"),
    ],
)
def test_request_with_text_items_has_no_open_input(value: Any) -> None:
    assert not read(input=value).open_input


def test_request_with_a_stored_prompt_counts_default_tool_calls() -> None:
    assert read(prompt={"id": "pmpt_1"}).calls == {"web_search_calls": 10, "tool_calls": 10}


@pytest.mark.parametrize("limit", [0, 3, 30])
def test_request_with_a_stored_prompt_counts_as_many_tool_calls_as_the_client_allows(limit: int) -> None:
    assert read(prompt={"id": "pmpt_1"}, max_tool_calls=limit).calls == {"web_search_calls": limit, "tool_calls": limit}


def test_report_with_tool_calls_counts_only_the_paid_ones() -> None:
    output = [
        {"type": "web_search_call", "action": None},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "file_search_call"},
        {"type": "file_search_call"},
        {"type": "code_interpreter_call"},
        {"type": "image_generation_call"},
        {"type": "mcp_call"},
        {"type": 5},
    ]
    report = RESPONSES.report(json.dumps({"usage": {"input_tokens": 1, "output_tokens": 2}, "output": output}).encode())
    assert report is not None
    assert report.meters == {"input_tokens": 1, "output_tokens": 2, "web_search_calls": 1, "tool_calls": 2}


@pytest.mark.parametrize("output", ["5", "[5]", '{"a":1}', "null"])
def test_report_with_an_odd_output_keeps_its_usage(output: str) -> None:
    report = RESPONSES.report(b'{"usage":{"input_tokens":1},"output":%s}' % output.encode())
    assert report is not None and report.meters == {"input_tokens": 1}


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"usage":null}'])
def test_report_without_usage_is_none(body: bytes) -> None:
    assert RESPONSES.report(body) is None


def test_responses_meter_with_an_error_without_a_type_ends() -> None:
    meter = RESPONSES.stream(hide_usage=False)
    assert meter.feed(b'data: {"error":{"code":"server_error"}}\n\n') == b""
    assert meter.ended and meter.failure == "provider_fault"


@pytest.mark.parametrize("data", [b"[DONE]", b'{"type":["x"]}', b'{"response":"x"}', b'{"type":"wombat"}'])
def test_responses_meter_with_odd_events_passes_them(data: bytes) -> None:
    meter = RESPONSES.stream(hide_usage=False)
    chunk = b"data: " + data + b"\n\n"
    assert meter.feed(chunk) == chunk and not meter.ended


def test_responses_meter_with_an_end_without_usage_keeps_the_earlier_report() -> None:
    meter = RESPONSES.stream(hide_usage=False)
    meter.feed(b'data: {"type":"response.in_progress","response":{"usage":{"input_tokens":5,"output_tokens":2}}}\n\n')
    meter.feed(b'data: {"type":"response.failed","response":{"usage":null,"error":{"code":"server_error"}}}\n\n')
    assert meter.ended and meter.report is not None and meter.report.meters == {"input_tokens": 5, "output_tokens": 2}


@pytest.mark.parametrize(
    "reference",
    [
        {"id": "msg_x"},
        {"type": "item_reference", "id": "msg_x"},
        {"type": "message", "id": "msg_x"},
        {"type": "message", "id": "msg_x", "role": "user", "content": None},
        {"type": "function_call", "id": "fc_x"},
        {"type": "function_call_output", "call_id": "call_x"},
        {"type": "reasoning", "id": "rs_x", "summary": []},
        {"type": "reasoning", "id": "rs_x", "summary": [{"type": "summary_text", "text": "b"}]},
        {"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": None},
    ],
)
def test_request_with_an_item_without_content_has_open_input(reference: Any) -> None:
    assert read(input=item(**reference)).open_input


@pytest.mark.parametrize(
    "whole",
    [
        {"id": "msg_x", "role": "assistant", "content": "b"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "function_call", "id": "fc_x", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_x", "output": "b"},
        {"type": "custom_tool_call", "id": "ct_x", "input": "b"},
        {"type": "local_shell_call", "id": "ls_x", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "apply_patch_call", "id": "ap_x", "operation": {"type": "delete_file", "path": "a"}},
        {"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_x", "summary": [], "content": [{"type": "reasoning_text", "text": "b"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "b"}]},
    ],
)
def test_request_with_an_item_with_content_has_no_open_input(whole: Any) -> None:
    assert not read(input=item(**whole)).open_input
