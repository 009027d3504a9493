"""The provider's endpoints Converse and ConverseStream of Bedrock. Their responses do not name a model.

The input excludes the cache, as AWS documents it. For OpenAI's models, it includes what was read from the cache and
written to it, which was measured on streams. If these tokens exceed the input, softix reads the input as documented.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import StreamMeter, UsageReport
from softix_proxy.dialects.core.event_stream import EventStreamMessage
from softix_proxy.dialects.core.frame_meter import FrameMeter
from softix_proxy.dialects.core.sse import EventAction
from softix_proxy.dialects.core.tokens import count, modes, tier
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.pricing.rates import STANDARD

_OPENAIS = re.compile(r"(?:^|[./:])openai\.", re.ASCII)
_GUARDRAIL = "guardrail_intervened"
"""The stop reason of a response that contains a guardrail's text and not the model's."""


def includes_cache(model: str) -> bool:
    """Returns whether a model counts the cache as input.

    It goes by the model's name or inference profile, such as `us.openai.gpt-6-sol`.
    """
    return _OPENAIS.search(model) is not None


class _Tier(msgspec.Struct):
    type: Any = None


class _Answer(msgspec.Struct):
    usage: Any = None
    serviceTier: _Tier | None = None  # noqa: N815 - the wire's own names
    performanceConfig: Any = None  # noqa: N815
    stopReason: Any = None  # noqa: N815


class _Delta(msgspec.Struct):
    text: Any = None
    toolUse: Any = None  # noqa: N815
    reasoningContent: Any = None  # noqa: N815


class _Event(msgspec.Struct):
    delta: _Delta | None = None
    stopReason: Any = None  # noqa: N815


_ANSWER = msgspec.json.Decoder(_Answer)
_EVENT = msgspec.json.Decoder(_Event)


class Converse:
    """Meters Bedrock's Converse. The path names the model, and usage counts the cache outside the input."""

    name = "converse"
    path = "/model/{model}/converse"
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None

    def __init__(self, *, with_cache: bool = False) -> None:
        """`with_cache` is true for models whose input includes the cache."""
        self.with_cache = with_cache

    def report(self, body: bytes) -> UsageReport | None:
        return read_report(body, self.with_cache)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Returns the meter.

        The usage comes without a request, in an event that every client needs, so it is never hidden.
        """
        return ConverseMeter(self.with_cache)


class ConverseStream(Converse):
    name = "converse_stream"
    path = "/model/{model}/converse-stream"


def read_report(body: bytes, with_cache: bool = False) -> UsageReport | None:
    """Reads the usage of a whole response, or of the payload of a `metadata` event."""
    try:
        answer = _ANSWER.decode(body)
    except MALFORMED:
        return None
    told = answer.serviceTier and answer.serviceTier.type
    latency = answer.performanceConfig.get("latency") if isinstance(answer.performanceConfig, dict) else None
    report = converse_report(answer.usage, told, with_cache=with_cache, latency=latency)
    return replace(report, unmade=True) if report is not None and answer.stopReason == _GUARDRAIL else report


def converse_report(
    usage: object, service_tier: object = None, *, with_cache: bool = False, latency: object = None
) -> UsageReport | None:
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
    kept = sum(parts.values()) if with_cache else 0
    asked = (asked or 0) - (kept if kept <= (asked or 0) else 0)
    meters = {"input_tokens": asked, "output_tokens": answered or 0}
    served = modes(tier(service_tier), STANDARD if latency in (None, STANDARD) else tier(latency))
    return UsageReport(meters | {name: tokens for name, tokens in parts.items() if tokens}, served)


def _written_for_an_hour(details: object) -> int:
    listed = details if isinstance(details, list) else []
    hours = [entry for entry in listed if isinstance(entry, dict) and entry.get("ttl") == "1h"]
    return sum(count(entry, "inputTokens") or 0 for entry in hours)


class ConverseMeter(FrameMeter):
    """Meters a stream. It ends at the `metadata` event, which has the usage, or at an exception.

    The `metadata` event comes after `messageStop`.
    """

    def __init__(self, with_cache: bool = False) -> None:
        super().__init__()
        self._with_cache = with_cache
        self._unmade = False

    def take(self, event: EventStreamMessage) -> EventAction:
        if event.kind == "metadata":
            report = read_report(event.payload, self._with_cache)
            self.report = replace(report, unmade=True) if report is not None and self._unmade else report or self.report
            self.finishing = True
            return EventAction.END
        return self.inspect(event.payload)

    def inspect(self, data: bytes) -> EventAction:
        try:
            event = _EVENT.decode(data)
        except MALFORMED:
            return EventAction.PASS
        self._unmade = self._unmade or event.stopReason == _GUARDRAIL
        delta = event.delta
        if delta is not None:
            self.weigh(delta.text or _inner(delta.toolUse, "input") or _inner(delta.reasoningContent, "text"))
        return EventAction.PASS


def _inner(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
