"""The endpoints of clouds that carry Anthropic's messages: Bedrock's InvokeModel and Vertex's rawPredict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from softix_proxy.dialects.anthropic.endpoint import MessagesMeter, anthropic_report
from softix_proxy.dialects.core.base import StreamMeter, UsageReport
from softix_proxy.dialects.core.event_stream import EventStreamMessage
from softix_proxy.dialects.core.frame_meter import FrameMeter
from softix_proxy.dialects.core.sse import EventAction
from softix_proxy.dialects.core.tokens import read_answer
from softix_proxy.dialects.request.fields import MALFORMED


def carried(event: EventStreamMessage) -> bytes | None:
    """Returns the event of messages within an event of Bedrock's, or None if there is none."""
    try:
        return _CHUNK.decode(event.payload).data
    except MALFORMED:
        return None


class _Chunk(msgspec.Struct):
    data: bytes | None = msgspec.field(default=None, name="bytes")
    """The event in base64, since AWS writes all bytes in JSON so."""


_CHUNK = msgspec.json.Decoder(_Chunk)


_GUARDRAIL = b'"amazon-bedrock-guardrailAction":"INTERVENED"'


class _Guarded(msgspec.Struct):
    action: Any = msgspec.field(default=None, name="amazon-bedrock-guardrailAction")


_GUARDED = msgspec.json.Decoder(_Guarded)


def _is_guardrails(body: bytes) -> bool:
    """Returns whether the text is a guardrail's and not the model's."""
    return b"guardrailAction" in body and _GUARDED.decode(body).action == "INTERVENED"


class InvokeMeter(FrameMeter, MessagesMeter):
    """Meters the events of messages within AWS's framing."""

    def take(self, event: EventStreamMessage) -> EventAction:
        data = carried(event)
        if data is None:
            return EventAction.PASS
        fate = self.inspect(data)
        if _GUARDRAIL in data and self.report is not None:
            self.report = replace(self.report, unmade=True)
        return fate


class _Carried:
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None

    def report(self, body: bytes) -> UsageReport | None:
        answer = read_answer(body)
        report = anthropic_report(answer.usage, answer.model) if answer is not None else None
        return replace(report, unmade=True) if report is not None and _is_guardrails(body) else report


class Invoke(_Carried):
    name = "invoke"
    path = "/model/{model}/invoke"

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return InvokeMeter()


class InvokeStream(Invoke):
    name = "invoke_stream"
    path = "/model/{model}/invoke-with-response-stream"


class RawPredict(_Carried):
    name = "raw_predict"
    path = "/publishers/anthropic/models/{model}:rawPredict"

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return MessagesMeter()


class StreamRawPredict(RawPredict):
    name = "stream_raw_predict"
    path = "/publishers/anthropic/models/{model}:streamRawPredict"
