from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.anthropic.endpoint import anthropic_report
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

MESSAGES, COUNT_TOKENS = ENDPOINTS["messages"], ENDPOINTS["count_tokens"]


def read(**fields: Any) -> Any:
    return MESSAGES.read(json.dumps({"model": "m", "max_tokens": 5, **fields}).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        {"tools": [{"type": "advisor_20260301"}]},
        {"tools": [{"type": "wombat"}]},
        {"inference_geo": "us"},
    ],
)
def test_request_with_an_unmetered_tool_or_place_is_refused(fields: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        read(**fields)
    assert refused.value.code is Code.ENDPOINT_NOT_METERED and "wombat" not in refused.value.message


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "custom",
        "bash_20250124",
        "text_editor_20250728",
        "memory_20250818",
        "computer_20251124",
        "computer_toolset_20260801",
        "browser_toolset_20260801",
        "tool_search_tool_regex_20251119",
    ],
)
def test_request_with_tools_of_the_client_counts_no_calls(kind: str | None) -> None:
    spec = read(tools=[{"type": kind, "name": "x"}], inference_geo="global")
    assert spec.calls == {} and not spec.open_input


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://x.example"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "tool_result", "content": [{"type": "image", "source": {}}]},
        {"type": "search_result"},
    ],
)
def test_request_with_media_or_unknown_blocks_has_open_input(block: Any) -> None:
    assert read(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, block]}]).open_input


@pytest.mark.parametrize("name", ["mcp_servers", "container", "context_management"])
def test_request_with_fields_that_add_input_has_open_input(name: str) -> None:
    assert read(**{name: ["x"]}).open_input and not read(**{name: None}).open_input


def test_request_with_text_alone_has_no_open_input() -> None:
    blocks: Any = [{"type": "text", "text": "a"}, {"type": "tool_result", "content": [{"type": "text", "text": "a"}]}]
    assert not read(messages=[{"role": "user", "content": blocks}]).open_input


def test_request_limits_and_tiers_are_read() -> None:
    assert read().max_output_tokens == 5 and read(max_tokens=0).max_output_tokens == 1
    assert MESSAGES.read(b'{"model":"m"}').max_output_tokens is None
    tiers = [read(service_tier=name).service_tier for name in ("auto", "standard_only", None)]
    assert tiers == ["standard"] * 3
    assert read(speed="fast").service_tier == "fast" and read(speed="standard").service_tier == "standard"


def test_token_count_request_is_free_with_any_tools() -> None:
    spec = COUNT_TOKENS.read(b'{"model":"m","tools":[{"type":"code_execution_20250825"}]}')
    assert (spec.model, spec.max_output_tokens) == ("m", 0)
    assert COUNT_TOKENS.report(b'{"input_tokens":5,"usage":{"input_tokens":5}}') is None
    body = COUNT_TOKENS.rewrite(b'{"model":"m"}', model="n", max_output_tokens=5, ask_usage=True)
    assert body == b'{"model":"n"}'


def test_rewrite_with_a_model_and_a_limit_changes_only_them() -> None:
    body = b'{"model": "m", "max_tokens": 5, "messages": []}'
    assert MESSAGES.rewrite(body, model=None, max_output_tokens=None, ask_usage=True) is body
    changed = MESSAGES.rewrite(body, model="n", max_output_tokens=3, ask_usage=True)
    assert changed == b'{"model":"n","max_tokens":3,"messages":[]}'


@pytest.mark.parametrize("usage", [None, 5, {}, [], {"input_tokens": "5x"}, {"input_tokens": -1}])
def test_anthropic_report_without_counts_is_none(usage: Any) -> None:
    assert anthropic_report(usage, "m") is None


def test_anthropic_report_with_odd_parts_leaves_them_out() -> None:
    usage = {"input_tokens": 5, "output_tokens": True, "cache_creation": [], "iterations": [None, {"type": 5}]}
    report = anthropic_report(usage | {"server_tool_use": {"web_search_requests": -1}}, "a b")
    assert report is not None and report.meters == {"input_tokens": 5} and report.model_served is None


def test_messages_meter_with_an_error_without_a_type_ends() -> None:
    meter = MESSAGES.stream(hide_usage=False)
    assert meter.feed(b'event: error\ndata: {"error":{"type":"api_error"}}\n\n') == b""
    assert meter.ended and meter.failure == "provider_fault"


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"type":5}', b'{"message":5}', b'{"usage":5}'])
def test_messages_meter_with_odd_events_passes_them(data: bytes) -> None:
    meter = MESSAGES.stream(hide_usage=False)
    chunk = b"event: x\ndata: " + data + b"\n\n"
    assert meter.feed(chunk) == chunk and not meter.ended and meter.report is None


@pytest.mark.parametrize("endpoint", [MESSAGES, COUNT_TOKENS], ids=["messages", "count_tokens"])
@pytest.mark.parametrize(
    ("policy", "is_taken"),
    [
        ("null", True),
        ('{"type":"billing_policy"}', True),
        ('{"type":"billing_policy","bill_to":"self"}', True),
        ('{"type":"billing_policy","bill_to":"user_profile"}', False),
        ('{"type":"billing_policy","bill_to":"whoever"}', False),
        ('{"bill_to":"self","bill_to":"user_profile"}', False),
        ('"user_profile"', False),
    ],
)
def test_request_with_another_billing_account_is_refused(endpoint: Any, policy: str, is_taken: bool) -> None:
    body = f'{{"model":"claude","max_tokens":5,"messages":[],"billing_policy":{policy}}}'.encode()
    if is_taken:
        assert endpoint.read(body).model == "claude"
        return
    with pytest.raises(RefusedError, match="billing_policy"):
        endpoint.read(body)


@pytest.mark.parametrize(
    "last",
    [
        {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, "output_tokens": 42},
        {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation": {"ephemeral_1h_input_tokens": 0}}
        | {"cache_creation_input_tokens": 0, "output_tokens": 42},
        {"output_tokens": 42},
        {"input_tokens": None, "output_tokens": "42"},
    ],
)
def test_messages_meter_with_zeros_in_a_later_usage_keeps_the_earlier_counts(last: Any) -> None:
    first = {
        "input_tokens": 120,
        "cache_read_input_tokens": 1500,
        "cache_creation_input_tokens": 30,
        "output_tokens": 1,
    }
    meter = MESSAGES.stream(hide_usage=False)
    for event in ({"type": "message_start", "message": {"usage": first}}, {"type": "message_delta", "usage": last}):
        meter.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert meter.report is not None and meter.report.meters == {
        "input_tokens": 120,
        "cached_input_tokens": 1500,
        "cache_write_5m_tokens": 30,
        "output_tokens": 42,
    }


def test_messages_meter_with_a_larger_later_usage_replaces_the_counts() -> None:
    meter = MESSAGES.stream(hide_usage=False)
    first, last = {"input_tokens": 900, "output_tokens": 1}, {"input_tokens": 0, "cache_read_input_tokens": 890}
    for event in ({"type": "message_start", "message": {"usage": first}}, {"type": "message_delta", "usage": last}):
        meter.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert meter.report is not None
    assert meter.report.meters == {"input_tokens": 0, "cached_input_tokens": 890, "output_tokens": 1}
