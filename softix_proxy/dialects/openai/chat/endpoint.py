"""The endpoint POST /v1/chat/completions, and the stream meter that it shares with /v1/completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.sse import EventAction, EventMeter
from softix_proxy.dialects.core.tokens import openai_report, tier
from softix_proxy.dialects.openai import visible_members
from softix_proxy.dialects.openai.members import CHAT
from softix_proxy.dialects.openai.outside_input import NAMES as OUTSIDE_NAMES
from softix_proxy.dialects.openai.outside_input import outside_input
from softix_proxy.dialects.openai.references import CHAT_NAMES, CHAT_RULES, message_refs
from softix_proxy.dialects.openai.shared import OpenAIEndpoint, wants_usage
from softix_proxy.dialects.openai.stored_refs import AUDIO_STORED, COMPLETION_STORED, stored_refs_of_completion
from softix_proxy.dialects.request.fields import MALFORMED, SHARED, JsonMembers, fits, invalid, is_heavy, read_request
from softix_proxy.dialects.request.hiding import HIDES_ANYTHING, hidden_parts
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.dialects.request.tags import MEMBERS as TAGGED
from softix_proxy.dialects.request.tags import read_tags
from softix_proxy.dialects.request.tools import CLIENT_SIDE, ToolBillings, read_tools
from softix_proxy.domain.access.objects import NOTHING_STORED, ObjectRef

LIMITS = ("max_completion_tokens", "max_tokens", "n_predict", "num_predict", "max_output_tokens", "max_new_tokens")
COUNTS = ("n", "best_of")
_MORE = CHAT_NAMES | TAGGED | {"store", "modalities"}
"""The members that few requests have. They name things, say what is kept, or are words of the client's own."""
_DATA, _DATA_ROUNDS = frozenset(("data_sources", "dataSources")), 2
"""Azure asks the model twice: what to search for, and for the answer.

Source: "Token usage estimation for Azure OpenAI On Your Data".
"""
_WATCHED = (
    SHARED
    | CHAT.watched
    | _MORE
    | OUTSIDE_NAMES
    | {*LIMITS, *COUNTS, "messages", "tools", "stream_options", "prediction", "echo"}
)
_MODALITIES = msgspec.json.Decoder(list[Any] | None)
_MADE: Mapping[str, str] = {"audio": "audio_output_tokens", "image": "image_output_tokens"}
"""A mapping from what a request may ask for beside text to the meter that counts it. Providers ask more for it."""
_TOOLS: ToolBillings = {"function": CLIENT_SIDE, "custom": CLIENT_SIDE}


class _Part(msgspec.Struct):
    type: Literal["text", "refusal", "thinking"]
    file: None = None
    file_id: None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    audio: None = None
    """A reference to an earlier spoken response."""


_TEXT_ONLY = msgspec.json.Decoder(list[_Message])
"""A decoder that accepts only text that is in the body.

Neither the bytes nor the URL of an image or a document bound its tokens.
"""
_ONE_MESSAGE = msgspec.json.Decoder(_Message)


def _is_plain(message: msgspec.Raw) -> bool:
    return fits(message, _ONE_MESSAGE)


class ChatCompletions(OpenAIEndpoint):
    """Meters OpenAI's chat completions. They report usage in a stream only on request."""

    name = "chat_completions"
    path = "/v1/chat/completions"
    output_fields = LIMITS
    reports_on_request = True
    members = CHAT

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        members = CHAT.read(fields)
        read_tools(fields.raw("tools"), _TOOLS)
        text_only = fits(fields.raw("messages"), _TEXT_ONLY)
        more = fields.has_any(_MORE)
        prediction, outside = fields.raw("prediction"), outside_input(fields)
        stream = fields.flag("stream")
        open_input = members.opens or bool(outside) or is_heavy(body) or not text_only
        hides = hidden_parts(body, fields, visible_members.CHAT) if stream and not open_input else HIDES_ANYTHING
        return RequestSpec(
            model=model,
            stream=stream,
            max_output_tokens=fields.largest(LIMITS),
            choices=fields.largest(COUNTS) or 1,
            service_tier=tier(fields.text("service_tier")),
            open_input=open_input,
            wants_usage=not stream or wants_usage(fields),
            echoes=fields.has("echo"),
            limited_by=fields.given(LIMITS),
            predicted_tokens=0 if prediction is None else memoryview(prediction).nbytes,
            rounds=_DATA_ROUNDS if fields.has_any(_DATA) else 1,
            members=outside,
            unknown_members=members.unknown,
            fees=members.fees,
            refs=_refs(fields, len(body)) if more or not text_only else (),
            stored_kinds=_stored(fields) if more else NOTHING_STORED,
            tags=read_tags(fields) if more else (),
            hides=hides,
            stated=_stated(fields.raw("modalities")) if more else (),
        )

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return ChatMeter(hide_usage)


def _refs(fields: JsonMembers, size_bytes: int) -> tuple[ObjectRef, ...]:
    found = FoundRefs(size_bytes)
    message_refs(fields.raw("messages"), _is_plain, found)
    found.members(fields, CHAT_NAMES, CHAT_RULES)
    return found.refs


def _stored(fields: JsonMembers) -> frozenset[str]:
    """Returns what the provider keeps of the answer: all of it if it is stored, and what is spoken in it."""
    if fields.has("store"):
        return COMPLETION_STORED
    return AUDIO_STORED if fields.has("modalities") else NOTHING_STORED


def _stated(raw: msgspec.Raw | None) -> tuple[str, ...]:
    """Returns the meters of what the request asks for beside text."""
    if raw is None:
        return ()
    try:
        asked = _MODALITIES.decode(raw) or ()
    except MALFORMED:
        raise invalid("`modalities` must be a list.") from None
    return tuple(meter for name, meter in _MADE.items() if name in asked)


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    audio: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: Any = None
    finish_reason: Any = None
    usage: Any = None
    """The place where Moonshot reports usage."""
    error: Any = None
    """The place where OpenRouter reports an error."""


class _Groq(msgspec.Struct):
    usage: Any = None


class _Frame(msgspec.Struct, gc=False):
    id: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    x_groq: _Groq | None = None
    model: Any = None
    service_tier: Any = None
    error: Any = None


_FRAME = msgspec.json.Decoder(_Frame)


class ChatMeter(EventMeter):
    """Meters a stream. It ends at `[DONE]`, which is where clients disconnect, or at an error.

    The usage chunk has no choices and is hidden from a client that did not request it. Usage beside content stays. The
    last report counts, since some servers send a running one with each chunk. A report of zero does not replace an
    earlier one.
    """

    def __init__(self, hide_usage: bool) -> None:
        super().__init__()
        self._hide_usage = hide_usage

    def inspect(self, data: bytes) -> EventAction:
        try:
            frame = _FRAME.decode(data)
        except MALFORMED:
            return EventAction.END if data.strip() == b"[DONE]" else EventAction.PASS
        choices = frame.choices or ()
        usage = frame.usage
        for choice in choices:
            self._weigh_choice(choice)
            if choice.delta is not None and choice.delta.audio is not None:
                self._keep(frame.id, choice.delta.audio)
            if choice.finish_reason is not None:
                self.finishing = True
            if choice.error or choice.finish_reason == "error":
                self.failure = classify_event(choice.error)
            usage = usage or choice.usage
        usage = usage or (frame.x_groq and frame.x_groq.usage)
        report = openai_report(usage, frame.model, frame.service_tier) if usage else None
        if report is not None and (self.report is None or any(report.meters.values())):
            self.report = report
        if frame.error:
            self.failure = classify_event(frame.error)
            return EventAction.END
        if self.failure is not None and not self.estimate_output_tokens():
            return EventAction.END  # After some output the stream goes on, since usage may follow.
        return EventAction.HIDE if self._hide_usage and report is not None and not choices else EventAction.PASS

    def _keep(self, name: object, spoken: object) -> None:
        """Records a spoken answer. Only its first chunk has its id."""
        self.stored_refs += tuple(
            ref for ref in stored_refs_of_completion(name, [spoken]) if ref not in self.stored_refs
        )

    def _weigh_choice(self, choice: _Choice) -> None:
        delta = choice.delta
        if delta is None:
            self.weigh(choice.text)
            return
        self.weigh(delta.content or delta.reasoning_content or delta.reasoning or delta.refusal)
        if delta.content and (delta.reasoning_content or delta.reasoning):
            self.weigh(delta.reasoning_content or delta.reasoning)
        if delta.tool_calls:
            self.weigh(_arguments(delta.tool_calls))


_CALL = ' <call> {"name": "", "arguments": } </call> '
"""The text that a model writes around the name and the arguments of a call, at most."""


def _arguments(calls: object) -> str:
    """Returns the pieces of tool call arguments in a chunk. A new call has its name and what is written around it."""
    listed = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    parts = [part for call in listed if isinstance(part := call.get("function") or call.get("custom"), dict)]
    texts = [part.get("arguments") or part.get("input") for part in parts]
    texts += [_CALL + name for part in parts if isinstance(name := part.get("name"), str) and name]
    return "".join(text for text in texts if isinstance(text, str))
