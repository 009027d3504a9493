"""Bedrock's Converse and ConverseStream, at the provider's side. Input excludes the cache; no model is named."""

from __future__ import annotations

from typing import Any

import msgspec

from softix_proxy.dialects.base import Report, StreamMeter
from softix_proxy.dialects.event_stream import Event
from softix_proxy.dialects.fields import MALFORMED
from softix_proxy.dialects.frame_meter import FrameMeter
from softix_proxy.dialects.sse import Fate
from softix_proxy.dialects.tokens import count, tier


class _Tier(msgspec.Struct):
    type: Any = None


class _Answer(msgspec.Struct):
    usage: Any = None
    serviceTier: _Tier | None = None  # noqa: N815 - the wire's own names


class _Delta(msgspec.Struct):
    text: Any = None
    toolUse: Any = None  # noqa: N815
    reasoningContent: Any = None  # noqa: N815


class _Event(msgspec.Struct):
    delta: _Delta | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_EVENT = msgspec.json.Decoder(_Event)


class Converse:
    name = "converse"
    path = "/model/{model}/converse"
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None

    def report(self, body: bytes) -> Report | None:
        return read_report(body)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Usage comes unasked, in an event that every client needs: nothing is ever hidden."""
        return ConverseMeter()


class ConverseStream(Converse):
    name = "converse_stream"
    path = "/model/{model}/converse-stream"


def read_report(body: bytes) -> Report | None:
    """Of a whole answer, or of the payload of a `metadata` event."""
    try:
        answer = _ANSWER.decode(body)
    except MALFORMED:
        return None
    return converse_report(answer.usage, answer.serviceTier and answer.serviceTier.type)


def converse_report(usage: object, service_tier: object = None) -> Report | None:
    asked, answered = count(usage, "inputTokens"), count(usage, "outputTokens")
    if not isinstance(usage, dict) or (asked is None and answered is None):
        return None
    long = _written_for_an_hour(usage.get("cacheDetails"))
    written = count(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount") or 0
    parts = {
        "cached_input_tokens": count(usage, "cacheReadInputTokens", "cacheReadInputTokenCount") or 0,
        "cache_write_5m_tokens": max(written - long, 0),
        "cache_write_1h_tokens": min(long, written),
    }
    meters = {"input_tokens": asked or 0, "output_tokens": answered or 0}
    return Report(meters | {name: tokens for name, tokens in parts.items() if tokens}, tier(service_tier))


def _written_for_an_hour(details: object) -> int:
    listed = details if isinstance(details, list) else []
    hours = [entry for entry in listed if isinstance(entry, dict) and entry.get("ttl") == "1h"]
    return sum(count(entry, "inputTokens") or 0 for entry in hours)


class ConverseMeter(FrameMeter):
    """Ends at the `metadata` event, which has the usage and comes after `messageStop`, or at an exception."""

    def take(self, event: Event) -> Fate:
        if event.kind == "metadata":
            self.report = read_report(event.payload) or self.report
            self.finishing = True
            return Fate.END
        return self.inspect(event.payload)

    def inspect(self, data: bytes) -> Fate:
        try:
            delta = _EVENT.decode(data).delta
        except MALFORMED:
            return Fate.PASS
        if delta is not None:
            self.weigh(delta.text or _inner(delta.toolUse, "input") or _inner(delta.reasoningContent, "text"))
        return Fate.PASS


def _inner(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
