"""POST /v1/responses."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from softix_proxy.dialects.base import Ask, Report, StreamMeter
from softix_proxy.dialects.errors import classify_event
from softix_proxy.dialects.fields import LARGE_BODY_BYTES, SHARED, fits, read_request
from softix_proxy.dialects.openai import OpenAIEndpoint
from softix_proxy.dialects.sse import EventMeter, Fate, data_of
from softix_proxy.dialects.tokens import openai_report, tier
from softix_proxy.dialects.tools import DEFAULT_CALLS, read_tools
from softix_proxy.domain.errors import Code, RefusedError

_LIMIT = "max_output_tokens"
_STORED = ("previous_response_id", "conversation", "prompt")
_WATCHED = SHARED | {_LIMIT, "max_tool_calls", "background", "tools", "input", "context_management", *_STORED}
_CLIENT_TOOLS = ("function", "custom", "local_shell", "apply_patch", "namespace")
_SEARCH_CALL = "web_search_call"
_PAID_CALLS = frozenset(("file_search_call", "code_interpreter_call", "image_generation_call"))
"""Items of the output that cost by the call, besides searches."""


class _Part(msgspec.Struct):
    type: Literal["input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"]


class _Item(msgspec.Struct):
    type: Literal[
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
    ] = "message"
    content: str | list[_Part] | None = None
    output: str | list[_Part] | None = None


_TEXT_ONLY = msgspec.json.Decoder(str | list[_Item])
"""Fits only what is text and in the body."""


class Responses(OpenAIEndpoint):
    name = "responses"
    path = "/v1/responses"
    output_fields = (_LIMIT,)

    def read(self, body: bytes) -> Ask:
        model, fields = read_request(body, _WATCHED)
        if fields.flag("background"):
            raise RefusedError(
                Code.ENDPOINT_NOT_METERED,
                "`background` cannot be metered here, since its answer is fetched later. Send the request without it.",
            )
        limit = fields.count("max_tool_calls", least=0)
        hosted = read_tools(fields.raw("tools"), _CLIENT_TOOLS, limit)
        calls = hosted.calls
        if fields.has("prompt"):
            calls = {"web_search_calls": DEFAULT_CALLS, "tool_calls": DEFAULT_CALLS} | calls
        return Ask(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=fields.count(_LIMIT),
            service_tier=tier(fields.text("service_tier")),
            open_input=hosted.open_input
            or any(fields.has(name) for name in _STORED)
            or fields.has("context_management")
            or len(body) > LARGE_BODY_BYTES
            or not fits(fields.raw("input"), _TEXT_ONLY),
            calls=calls,
        )

    def report(self, body: bytes) -> Report | None:
        try:
            return _report(_RESPONSE.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Usage comes unasked and in an event that every client needs: nothing is ever hidden."""
        return ResponsesMeter()


class _Output(msgspec.Struct):
    type: Any = None
    action: Any = None


class _Response(msgspec.Struct):
    usage: Any = None
    model: Any = None
    service_tier: Any = None
    error: Any = None
    output: msgspec.Raw = msgspec.Raw()


class _Event(msgspec.Struct):
    type: Any = None
    code: Any = None
    error: Any = None
    response: _Response | None = None


_RESPONSE = msgspec.json.Decoder(_Response)
_EVENT = msgspec.json.Decoder(_Event)
_OUTPUT = msgspec.json.Decoder(list[_Output])
_ENDS = frozenset(("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"))


def _report(response: _Response) -> Report | None:
    report = openai_report(response.usage, response.model, response.service_tier)
    if report is None:
        return None
    try:
        output = _OUTPUT.decode(response.output)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return report
    counts = {
        "web_search_calls": sum(item.type == _SEARCH_CALL and _is_search(item.action) for item in output),
        "tool_calls": sum(isinstance(item.type, str) and item.type in _PAID_CALLS for item in output),
    }
    calls = {meter: count for meter, count in counts.items() if count}
    return Report({**report.meters, **calls}, report.service_tier, report.model_served, report.clamped)


def _is_search(action: object) -> bool:
    """Opening a page and finding in it are not charged."""
    kind = action.get("type") if isinstance(action, dict) else None
    return kind not in ("open_page", "find_in_page")


class ResponsesMeter(EventMeter):
    """Ends at `response.completed`, `.incomplete`, `.failed`, or an error; each but the last carries usage."""

    text_keys = (b'"delta":',)

    def is_plain(self, events: bytes) -> bool:
        return not (b'"response"' in events or b'"error"' in events)

    def inspect(self, event: bytes) -> Fate:
        try:
            frame = _EVENT.decode(data_of(event))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Fate.PASS
        response = frame.response
        if response is not None:
            self.report = _report(response) or self.report
        if frame.type not in _ENDS:
            return Fate.PASS
        if frame.type in ("error", "response.failed"):
            error = response.error if response is not None else frame.error
            self.failure = classify_event(error or {"code": frame.code})
        self.finishing = True
        return Fate.END
