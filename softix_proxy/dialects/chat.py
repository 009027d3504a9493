"""POST /v1/chat/completions, and the stream that it shares with /v1/completions."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from softix_proxy.dialects.base import Ask, Report, StreamMeter
from softix_proxy.dialects.errors import classify_event
from softix_proxy.dialects.fields import LARGE_BODY_BYTES, SHARED, fits, read_request
from softix_proxy.dialects.openai import OpenAIEndpoint, largest, wants_usage
from softix_proxy.dialects.sse import EventMeter, Fate, data_of
from softix_proxy.dialects.tokens import openai_report, tier
from softix_proxy.dialects.tools import DEFAULT_CALLS, read_tools

LIMITS = ("max_completion_tokens", "max_tokens", "n_predict")
COUNTS = ("n", "best_of")
_WATCHED = SHARED | {
    *LIMITS,
    *COUNTS,
    "messages",
    "tools",
    "stream_options",
    "web_search_options",
    "search_parameters",
    "plugins",
    "prediction",
}
_SEARCHES = ("web_search_options", "search_parameters", "plugins")
"""OpenAI's, xAI's and OpenRouter's ways to have the provider search."""
_CLIENT_TOOLS = ("function", "custom")


class _Part(msgspec.Struct):
    type: Literal["text", "refusal", "thinking"]


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    audio: None = None
    """A reference to an earlier spoken answer."""


_TEXT_ONLY = msgspec.json.Decoder(list[_Message])
"""Fits only what is text and in the body: neither bytes nor a URL bound the tokens of an image or a document."""


class ChatCompletions(OpenAIEndpoint):
    name = "chat_completions"
    path = "/v1/chat/completions"
    output_fields = LIMITS
    reports_on_request = True

    def read(self, body: bytes) -> Ask:
        model, fields = read_request(body, _WATCHED)
        hosted = read_tools(fields.raw("tools"), _CLIENT_TOOLS)
        calls = hosted.calls
        searches = any(fields.has(name) for name in _SEARCHES)
        if searches:
            calls = {**calls, "web_search_calls": max(DEFAULT_CALLS, calls.get("web_search_calls", 0))}
        limit = largest(fields, LIMITS)
        prediction = fields.raw("prediction")
        if limit is not None and prediction is not None:
            limit += memoryview(prediction).nbytes  # what of it is rejected is billed as output too
        return Ask(
            model=model,
            stream=(stream := fields.flag("stream")),
            max_output_tokens=limit,
            choices=largest(fields, COUNTS) or 1,
            service_tier=tier(fields.text("service_tier")),
            open_input=searches
            or hosted.open_input
            or len(body) > LARGE_BODY_BYTES
            or not fits(fields.raw("messages"), _TEXT_ONLY),
            calls=calls,
            wants_usage=not stream or wants_usage(fields),
        )

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage, (b'"content":', b'"arguments":', b'"reasoning_content":', b'"reasoning":'))


class _Choice(msgspec.Struct):
    finish_reason: Any = None
    usage: Any = None
    """Moonshot's place for it."""


class _Groq(msgspec.Struct):
    usage: Any = None


class _Frame(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    x_groq: _Groq | None = None
    model: Any = None
    service_tier: Any = None
    error: Any = None


_FRAME = msgspec.json.Decoder(_Frame)


class ChatMeter(EventMeter):
    """Ends at the usage frame once the model has stopped, or at `[DONE]`.

    The usage frame has no choices, and is hidden from a client that did not ask for it; usage beside content stays.
    The last report counts: some servers send a running one with each frame.
    """

    def __init__(self, hide_usage: bool, text_keys: tuple[bytes, ...]) -> None:
        super().__init__()
        self._hide_usage = hide_usage
        self.text_keys = text_keys

    def is_plain(self, events: bytes) -> bool:
        if b'"usage"' in events and events.count(b'"usage"') != events.count(b'"usage":null'):
            return False
        return not (b'reason":"' in events or b"[DONE]" in events or b'"error"' in events or b'reason": "' in events)

    def inspect(self, event: bytes) -> Fate:
        data = data_of(event)
        if data.strip() == b"[DONE]":
            return Fate.END
        try:
            frame = _FRAME.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Fate.PASS
        if frame.error is not None:
            self.failure = classify_event(frame.error)
            return Fate.END
        choices = frame.choices or []
        self.finishing = self.finishing or any(choice.finish_reason is not None for choice in choices)
        report = self._read_usage(frame, choices)
        if report is None:
            return Fate.PASS
        self.report = report
        if frame.choices != []:
            return Fate.PASS
        if self._hide_usage:
            return Fate.HIDE
        return Fate.END if self.finishing else Fate.PASS

    def _read_usage(self, frame: _Frame, choices: list[_Choice]) -> Report | None:
        places = [frame.usage, frame.x_groq and frame.x_groq.usage, *(choice.usage for choice in choices)]
        usage = next((place for place in places if place is not None), None)
        return openai_report(usage, frame.model, frame.service_tier)
