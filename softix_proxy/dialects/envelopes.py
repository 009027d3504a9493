"""Anthropic's messages as other clouds carry them: Bedrock's InvokeModel and Vertex's rawPredict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from softix_proxy.dialects.base import StreamMeter, UsageReport
from softix_proxy.dialects.event_stream import EventStreamMessage
from softix_proxy.dialects.fields import MALFORMED
from softix_proxy.dialects.frame_meter import FrameMeter
from softix_proxy.dialects.messages import MessagesMeter, anthropic_report
from softix_proxy.dialects.sse import EventAction
from softix_proxy.dialects.tokens import read_answer


def carried(event: EventStreamMessage) -> bytes | None:
    """The event of messages within one of Bedrock's; None where there is none."""
    try:
        return _CHUNK.decode(event.payload).data
    except MALFORMED:
        return None


class _Chunk(msgspec.Struct):
    data: bytes | None = msgspec.field(default=None, name="bytes")
    """Base64, as AWS tells all bytes in JSON."""


_CHUNK = msgspec.json.Decoder(_Chunk)


_GUARDRAIL = b'"amazon-bedrock-guardrailAction":"INTERVENED"'


class _Guarded(msgspec.Struct):
    action: Any = msgspec.field(default=None, name="amazon-bedrock-guardrailAction")


_GUARDED = msgspec.json.Decoder(_Guarded)


def _is_guardrails(body: bytes) -> bool:
    """Whether a guardrail's words stand in place of the model's."""
    return b"guardrailAction" in body and _GUARDED.decode(body).action == "INTERVENED"


class InvokeMeter(FrameMeter, MessagesMeter):
    """Of the events of messages within AWS's frames."""

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
