from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.chat.endpoint import ChatMeter
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

CHAT = ENDPOINTS["chat_completions"]


def read(**fields: Any) -> Any:
    return CHAT.read(json.dumps({"model": "m", **fields}).encode())


def content(value: Any) -> Any:
    return [{"role": "user", "content": value}]


@pytest.mark.parametrize("name", ["search_parameters", "plugins", "enable_search"])
def test_request_with_a_search_that_is_not_counted_is_refused(name: str) -> None:
    for empty in (None, False, []):
        assert read(**{name: empty}).calls == {}
    for value in ({}, [{"id": "web"}], True):
        with pytest.raises(RefusedError) as refused:
            read(**{name: value})
        assert refused.value.code is Code.ENDPOINT_NOT_METERED


def test_request_with_a_search_by_its_options_bills_the_fee_of_a_request() -> None:
    spec = read(web_search_options={})
    assert spec.bills == ("input_tokens", "output_tokens", "requests") and spec.open_input
    assert read(web_search_options=None).bills == ("input_tokens", "output_tokens")


@pytest.mark.parametrize("kind", ["web_search", "code_interpreter", "browser_search", "mcp"])
def test_request_with_a_hosted_tool_is_refused(kind: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(tools=[{"type": kind}])
    assert refused.value.code is Code.ENDPOINT_NOT_METERED


@pytest.mark.parametrize(
    "messages",
    [
        None,
        content("text"),
        content(None),
        content([{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]),
        [{"role": "assistant", "content": None, "tool_calls": [{"id": "c"}], "audio": None}],
    ],
)
def test_request_with_text_alone_has_no_open_input(messages: Any) -> None:
    assert not read(messages=messages or []).open_input


@pytest.mark.parametrize(
    "messages",
    [
        content([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]),
        content([{"type": "input_audio", "input_audio": {"data": "AAAA"}}]),
        content([{"type": "file", "file": {"file_id": "file-1"}}]),
        content([{"type": "video_url"}]),
        content({"type": "text"}),
        [{"role": "assistant", "audio": {"id": "audio_1"}}],
        "text",
    ],
)
def test_request_with_other_content_has_open_input(messages: Any) -> None:
    assert read(messages=messages).open_input


def test_request_larger_than_any_context_has_open_input() -> None:
    assert read(messages=content("a" * 4 * 1024 * 1024)).open_input


def test_request_choices_are_the_larger_of_its_two_counts() -> None:
    assert read().choices == 1
    assert read(n=3).choices == 3
    assert read(n=2, best_of=5).choices == 5


def test_request_output_limit_is_the_larger_of_its_two_limits() -> None:
    assert read().max_output_tokens is None
    assert read(max_tokens=5, max_completion_tokens=3).max_output_tokens == 5
    assert read(max_tokens=None, max_completion_tokens=3).max_output_tokens == 3


def frame(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


def test_chat_meter_with_several_usages_keeps_the_last_and_ends_at_done() -> None:
    meter = CHAT.stream(hide_usage=True)
    meter.feed(frame(choices=[{"delta": {}, "finish_reason": "stop"}]))
    assert meter.finishing and not meter.ended
    assert meter.feed(frame(choices=[], usage=USAGE)) == b""
    assert meter.feed(frame(usage=USAGE | {"completion_tokens": 9})) == b"" and not meter.ended
    assert meter.report is not None and meter.report.meters == {"input_tokens": 3, "output_tokens": 9}
    assert meter.feed(b"data: [DONE]\n\n") == b"" and meter.ended
    assert meter.take_held() == b"data: [DONE]\n\n"


def test_chat_meter_with_null_usage_passes_the_events() -> None:
    chunk = frame(choices=[], usage=None) + frame(choices=[{"delta": {"content": "a"}}], usage=None)
    assert CHAT.stream(hide_usage=True).feed(chunk) == chunk


def test_chat_meter_with_an_error_beside_usage_keeps_both() -> None:
    meter = CHAT.stream(hide_usage=True)
    assert meter.feed(frame(choices=[], usage=USAGE, error={"code": "insufficient_quota"})) == b""
    assert meter.ended and meter.failure == "provider_quota_exhausted" and meter.report is not None


@pytest.mark.parametrize("error", [None, "", {}, False])
def test_chat_meter_with_an_empty_error_does_not_end(error: Any) -> None:
    meter = CHAT.stream(hide_usage=False)
    assert meter.feed(frame(choices=[], error=error)) and not meter.ended and meter.failure is None


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'"[DONE]"', b"\xff", b'{"choices":5}', b'{"usage":"x"}', b'{"usage":[]}', b"[" * 100_000]
)
def test_chat_meter_with_odd_events_passes_them(data: bytes) -> None:
    meter = CHAT.stream(hide_usage=True)
    chunk = b"data: " + data + b"\n\n"
    assert meter.feed(chunk) == chunk and not meter.ended and meter.report is None


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "four bytes and more"},
        {"reasoning": "four bytes and more"},
        {"refusal": "four bytes and more"},
        {"tool_calls": [{"function": {"arguments": "four bytes and more"}}]},
        {"tool_calls": [{"custom": {"input": "four bytes and more"}}]},
    ],
)
def test_chat_meter_estimate_counts_each_kind_of_output(delta: Any) -> None:
    meter = CHAT.stream(hide_usage=True)
    meter.feed(frame(choices=[{"delta": delta}]))
    assert meter.estimate_output_tokens() == 5


@pytest.mark.parametrize("calls", [5, "x", [None], [{"function": None}], [{"function": {"arguments": 5}}]])
def test_chat_meter_estimate_with_odd_tool_calls_is_zero(calls: Any) -> None:
    meter = CHAT.stream(hide_usage=True)
    meter.feed(frame(choices=[{"delta": {"tool_calls": calls}}]))
    assert meter.estimate_output_tokens() == 0


def test_chat_meter_with_a_last_usage_of_zeros_keeps_the_earlier_counts() -> None:
    meter = ENDPOINTS["chat_completions"].stream(hide_usage=True)
    for completion in (3, 0):
        usage = {"prompt_tokens": 2 * completion, "completion_tokens": completion, "total_tokens": 3 * completion}
        passed = meter.feed(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n")
        assert passed == b"", "both are hidden"
    assert meter.report is not None and meter.report.meters == {"input_tokens": 6, "output_tokens": 3}


CHOICE_ERROR = b'data: {"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":429}}]}\n\n'
USAGE_AFTER = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n'


def test_chat_meter_with_an_error_in_a_choice_before_output_ends() -> None:
    meter = ChatMeter(hide_usage=False)
    assert meter.feed(CHOICE_ERROR) == b"" and meter.ended
    assert meter.failure == "provider_rate_limited" and meter.take_held() == CHOICE_ERROR


def test_chat_meter_with_an_error_in_a_choice_after_output_waits_for_the_usage() -> None:
    meter = ChatMeter(hide_usage=False)
    begun = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'
    assert meter.feed(begun + CHOICE_ERROR + USAGE_AFTER) == begun + CHOICE_ERROR + USAGE_AFTER
    meter.feed(b"data: [DONE]\n\n")
    assert meter.ended and meter.failure == "provider_rate_limited"
    assert meter.report is not None and meter.report.meters == {"input_tokens": 7, "output_tokens": 2}


@pytest.mark.parametrize(
    ("modalities", "stated"),
    [
        (None, ()),
        (["text"], ()),
        (["text", "audio"], ("audio_output_tokens",)),
        (["image", "text"], ("image_output_tokens",)),
        (["wombat", 5], ()),
    ],
)
def test_request_for_sound_or_images_needs_their_own_price(modalities: Any, stated: tuple[str, ...]) -> None:
    assert read(modalities=modalities).stated == stated
    with pytest.raises(RefusedError):
        read(modalities="audio")
