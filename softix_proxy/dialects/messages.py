"""POST /v1/messages and /v1/messages/count_tokens."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from softix_proxy.dialects.base import Ask, Family, Report, StreamMeter
from softix_proxy.dialects.errors import classify_event
from softix_proxy.dialects.fields import LARGE_BODY_BYTES, SHARED, fits, read_request, replace
from softix_proxy.dialects.sse import EventMeter, Fate, data_of
from softix_proxy.dialects.tokens import count, model_name, read_answer, tier
from softix_proxy.dialects.tools import read_tools

_LIMIT = "max_tokens"
_OUTSIDE = ("mcp_servers", "container", "context_management", "compaction", "thread")
"""What brings in input, or further rounds of it, that the body does not hold."""
_WATCHED = SHARED | {_LIMIT, "messages", "tools", "speed", *_OUTSIDE}
_CLIENT_TOOLS = ("custom", "bash_", "text_editor_", "memory_", "computer_", "browser_")


class _Nested(msgspec.Struct):
    type: Literal["text", "tool_reference"]


class _Block(msgspec.Struct):
    type: Literal["text", "thinking", "redacted_thinking", "tool_use", "tool_result"]
    content: str | list[_Nested] | None = None


class _Message(msgspec.Struct):
    content: str | list[_Block] | None = None


_TEXT_ONLY = msgspec.json.Decoder(list[_Message])
"""Fits only what is text and in the body: neither bytes nor a URL bound the tokens of an image or a document."""


class Messages:
    name = "messages"
    family: Family = "anthropic"
    path = "/v1/messages"
    metered = True

    def read(self, body: bytes) -> Ask:
        model, fields = read_request(body, _WATCHED)
        hosted = read_tools(fields.raw("tools"), _CLIENT_TOOLS)
        limit = fields.count(_LIMIT, least=0)
        fast = fields.text("speed") == "fast"
        return Ask(
            model=model,
            stream=fields.flag("stream"),
            # 0 only fills the cache; the hold takes it for one token.
            max_output_tokens=None if limit is None else max(limit, 1),
            service_tier="fast" if fast else tier(fields.text("service_tier")),
            open_input=hosted.open_input
            or any(fields.has(name) for name in _OUTSIDE)
            or len(body) > LARGE_BODY_BYTES
            or not fits(fields.raw("messages"), _TEXT_ONLY),
            calls=hosted.calls,
        )

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_field: str | None = None,
    ) -> bytes:
        changes: dict[str, bytes] = {}
        if model is not None:
            changes["model"] = msgspec.json.encode(model)
        if max_output_tokens is not None and self.metered:
            changes[_LIMIT] = b"%d" % max_output_tokens
        return replace(body, changes) if changes else body

    def report(self, body: bytes) -> Report | None:
        answer = read_answer(body)
        return anthropic_report(answer.usage, answer.model) if answer is not None else None

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Usage comes unasked, in events that every client needs: nothing is ever hidden."""
        return MessagesMeter()


class CountTokens(Messages):
    name = "count_tokens"
    path = "/v1/messages/count_tokens"
    metered = False

    def report(self, body: bytes) -> Report | None:
        return None


def anthropic_report(usage: object, model: object) -> Report | None:
    """Input excludes the cache already. Rounds of compaction and of a second model are counted only in `iterations`."""
    if not isinstance(usage, dict) or count(usage, "input_tokens", "output_tokens") is None:
        return None
    meters = {name: quantity for name in _ALWAYS if (quantity := count(usage, name)) is not None}
    rounds = usage.get("iterations")
    apart = [entry for entry in rounds if _is_apart(entry)] if isinstance(rounds, list) else []
    for source in (usage, *apart):
        for name, quantity in _parts(source).items():
            if quantity and (source is not usage or name not in _ALWAYS):
                meters[name] = meters.get(name, 0) + quantity
    searches = count(usage.get("server_tool_use"), "web_search_requests")
    if searches:
        meters["web_search_calls"] = searches
    fast = usage.get("speed") == "fast"
    return Report(meters, "fast" if fast else tier(usage.get("service_tier")), model_name(model))


_ALWAYS = ("input_tokens", "output_tokens")
_APART = frozenset(("compaction", "advisor_message"))


def _is_apart(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(kind := entry.get("type"), str) and kind in _APART


def _parts(usage: dict[str, Any]) -> dict[str, int]:
    split = usage.get("cache_creation")
    hour = count(split, "ephemeral_1h_input_tokens") or 0
    five_minutes = count(split, "ephemeral_5m_input_tokens") or 0
    written = count(usage, "cache_creation_input_tokens") or 0
    return {
        "input_tokens": count(usage, "input_tokens") or 0,
        "cached_input_tokens": count(usage, "cache_read_input_tokens") or 0,
        "cache_write_5m_tokens": max(five_minutes, written - hour),
        "cache_write_1h_tokens": hour,
        "output_tokens": count(usage, "output_tokens") or 0,
    }


class _Start(msgspec.Struct):
    usage: Any = None
    model: Any = None


class _Delta(msgspec.Struct):
    stop_reason: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    message: _Start | None = None
    usage: Any = None
    delta: _Delta | None = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class MessagesMeter(EventMeter):
    """Ends at `message_stop` or an error. `message_delta` replaces, field by field, what `message_start` said."""

    text_keys = (b'"text":', b'"thinking":', b'"partial_json":')

    def __init__(self) -> None:
        super().__init__()
        self._usage: dict[str, Any] = {}
        self._model: Any = None

    def is_plain(self, events: bytes) -> bool:
        return not (b'"usage"' in events or b'"message_stop"' in events or b'"error"' in events)

    def inspect(self, event: bytes) -> Fate:
        try:
            frame = _EVENT.decode(data_of(event))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Fate.PASS
        if frame.type == "message_stop":
            return Fate.END
        if frame.type == "error":
            self.failure = classify_event(frame.error)
            return Fate.END
        if frame.message is not None:
            self._model = frame.message.model
        usage = frame.usage if frame.message is None else frame.message.usage
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            self.report = anthropic_report(self._usage, self._model)
        self.finishing = self.finishing or (frame.delta is not None and frame.delta.stop_reason is not None)
        return Fate.PASS
