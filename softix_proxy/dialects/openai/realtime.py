"""The endpoint GET /v1/realtime, with events over a WebSocket in both directions.

This module reads the events that matter to the bill, and refuses those that must not pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, UsageReport, Written
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.tokens import count, divide
from softix_proxy.dialects.openai.members import REALTIME as SESSION_MEMBERS
from softix_proxy.dialects.openai.references import EVENT_RULES
from softix_proxy.dialects.openai.shared import OpenAIEndpoint
from softix_proxy.dialects.request.fields import (
    MALFORMED,
    SHARED,
    JsonMembers,
    invalid,
    read_fields,
    read_request,
    unmetered,
)
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.dialects.request.tools import CLIENT_SIDE, FREE, ToolBillings, read_tools
from softix_proxy.domain.access.objects import ObjectRef
from softix_proxy.domain.pricing.meters import Meters

RESPOND = "response.create"
BEGUN = "response.created"
ENDED = "response.done"
ERROR = "error"
_UPDATE = "session.update"
_APPEND = "input_audio_buffer.append"
_ITEM = "conversation.item.create"
_CLIENT = frozenset(
    (
        _UPDATE,
        _APPEND,
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "output_audio_buffer.clear",
        _ITEM,
        "conversation.item.retrieve",
        "conversation.item.truncate",
        "conversation.item.delete",
        RESPOND,
        "response.cancel",
    )
)
_EVENT = frozenset(("type", "event_id", "session", "response", "item"))
_MAY_NAME = frozenset((_UPDATE, _ITEM, RESPOND))
"""The events with parts that may name things at the provider. Items of the session are its own."""
_TRANSCRIPTION = "input_audio_transcription"
_SESSION = SHARED | SESSION_MEMBERS.watched | {"type", "tools", "prompt", "audio", "conversation", _TRANSCRIPTION}
_TOOLS: ToolBillings = {"function": CLIENT_SIDE, "mcp": FREE}
_NULL, _APART = msgspec.Raw(b"null"), msgspec.Raw(b'"none"')
_BYTES_PER_TOKEN = 4
_LETTERS_HEARD, _LETTERS_SPOKEN = 6400, 3200
"""The base64 letters for a token of input sound (ten tokens a second) and of output sound (twenty).

A second has 48,000 bytes.
"""


class Realtime(OpenAIEndpoint):
    """Meters realtime sessions. A session names its model when it is opened, for all of its responses."""

    name = "realtime"
    path = "/v1/realtime?model={model}"
    members = SESSION_MEMBERS

    def read(self, body: bytes) -> RequestSpec:
        """Reads the members of a session.

        A response reads everything that was said before it, so only the context window bounds its input.
        """
        model, fields = read_request(body, _SESSION)
        _check(fields)
        unknown = SESSION_MEMBERS.read(fields).unknown
        return RequestSpec(model=model, stream=True, open_input=True, adjustable=False, unknown_members=unknown)

    def report(self, body: bytes) -> UsageReport | None:
        """Reads the usage of a finished response."""
        try:
            response = _DONE.decode(body)
        except MALFORMED:
            return None
        return realtime_report(response.usage)

    def stream(self, *, hide_usage: bool) -> ResponseMeter:
        return ResponseMeter()


def _check(fields: JsonMembers) -> None:
    """Checks a session or one response. Raises RefusedError if it has parts that cannot be metered."""
    if (fields.text("type") or "realtime") != "realtime":
        raise unmetered("Only sessions of the type `realtime` can be metered here.")
    if fields.has("prompt"):
        raise unmetered("A stored `prompt` is the provider's account's, which all users share. Send `instructions`.")
    read_tools(fields.raw("tools"), _TOOLS)
    if fields.has(_TRANSCRIPTION) or _transcribes(fields.raw("audio")):
        raise unmetered("Transcripts of what is heard are another model's, which a session cannot be charged for here.")


def _transcribes(audio: msgspec.Raw | None) -> bool:
    if audio is None or audio == _NULL:
        return False
    heard = JsonMembers(audio, frozenset(("input",)), "`audio`").raw("input")
    if heard is None or heard == _NULL:
        return False
    return JsonMembers(heard, frozenset(("transcription",)), "`audio.input`").has("transcription")


class ClientEvent(NamedTuple):
    """An event that a client sends to the provider."""

    kind: str
    id: str | None
    message: bytes
    """The message for the provider."""
    apart: bool = False
    """Whether it creates a response outside the conversation, which may run beside another one."""
    refs: tuple[ObjectRef, ...] = ()
    """The things at the provider that it names."""
    unknown_members: int = 0
    """The number of members without a class in its session or response."""


def read_event(message: bytes, model: str, upstream_name: str) -> ClientEvent:
    """Reads a client's event. `model` is softix's name of the session's model.

    Raises RefusedError if the event must not pass.
    """
    fields = read_fields(message, _EVENT)
    kind = fields.text("type")
    if kind not in _CLIENT:
        raise unmetered("This event cannot be metered here, or is none.")
    refs = _refs(fields, len(message)) if kind in _MAY_NAME else ()
    name = "session" if kind == _UPDATE else "response"
    raw = fields.raw(name) if kind in (_UPDATE, RESPOND) else None
    if raw is None or raw == _NULL:
        return ClientEvent(kind, fields.text("event_id"), message, refs=refs)
    inner = JsonMembers(raw, _SESSION, f"`{name}`")
    _check(inner)
    asked = inner.text("model")
    if asked is not None and asked != model:
        raise invalid("A session keeps the model that it was opened with.")
    if asked is not None and asked != upstream_name:
        message = fields.replaced({name: inner.replaced({"model": msgspec.json.encode(upstream_name)})})
    unknown = SESSION_MEMBERS.read(inner).unknown
    return ClientEvent(kind, fields.text("event_id"), message, inner.raw("conversation") == _APART, refs, unknown)


def _refs(fields: JsonMembers, size_bytes: int) -> tuple[ObjectRef, ...]:
    found = FoundRefs(size_bytes)
    found.members(fields, ("session", "response", "item"), EVENT_RULES)
    return found.refs


def cancel(response_id: str) -> bytes:
    return msgspec.json.encode({"type": "response.cancel", "response_id": response_id})


class _Response(msgspec.Struct):
    id: Any = None
    status: Any = None
    status_details: Any = None
    usage: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    response_id: Any = None
    response: _Response | None = None
    error: Any = None
    delta: Any = None


_SERVER = msgspec.json.Decoder(_Event)
_DONE = msgspec.json.Decoder(_Response)


class ServerEvent(NamedTuple):
    kind: str
    response_id: str | None
    about: str | None = None
    """The id of the client event that caused an error."""
    error: str | None = None
    """One of ProviderError."""


def read_server_event(message: bytes) -> ServerEvent:
    try:
        event = _SERVER.decode(message)
    except MALFORMED:
        return ServerEvent("", None)
    kind = event.type if isinstance(event.type, str) else ""
    if kind == ERROR:
        about = event.error.get("event_id") if isinstance(event.error, dict) else None
        return ServerEvent(kind, None, about if isinstance(about, str) else None, classify_event(event.error))
    response_id = event.response.id if event.response is not None else event.response_id
    return ServerEvent(kind, response_id if isinstance(response_id, str) else None)


class ResponseMeter:
    """Meters one response. `feed` takes its events one by one, each complete.

    It implements `dialects.core.base.StreamMeter`.
    """

    def __init__(self) -> None:
        self.report: UsageReport | None = None
        self.ended = False
        self.finishing = False
        self.failure: str | None = None
        self.stored_refs: tuple[ObjectRef, ...] = ()
        self._letters: Counter[str] = Counter()
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        try:
            event = _SERVER.decode(chunk)
        except MALFORMED:
            return chunk
        if isinstance(event.delta, str) and isinstance(event.type, str):
            meter = "audio_output_tokens" if event.type.endswith("audio.delta") else "output_tokens"
            self._letters[meter] += len(event.delta)
        if event.type != ENDED:
            return chunk
        self._held, self.ended, self.finishing = chunk, True, True
        if event.response is not None:
            self.report = realtime_report(event.response.usage)
            if event.response.status == "failed":
                details = event.response.status_details
                self.failure = classify_event(details.get("error") if isinstance(details, dict) else None)
        return b""

    def take_held(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def made(self) -> Meters:
        """Estimates the output from the events that passed."""
        sizes = {"output_tokens": _BYTES_PER_TOKEN, "audio_output_tokens": _LETTERS_SPOKEN}
        return {meter: -(-letters // sizes[meter]) for meter, letters in self._letters.items()}

    def estimate_output_tokens(self) -> int:
        return sum(self.made().values())

    def written(self) -> Written:
        """Returns nothing, because `made` estimates sound and text separately."""
        return Written("", 0, 0)


class Conversation:
    """An estimate of the next response's input: the input and output of the last one, and everything since then."""

    def __init__(self) -> None:
        self._read: Counter[str] = Counter()

    def heard(self, event: ClientEvent) -> None:
        if event.kind == _APPEND:
            self._read["audio_input_tokens"] += -(-len(event.message) // _LETTERS_HEARD)
        elif event.kind in (_UPDATE, _ITEM, RESPOND):
            sounds = event.kind == _ITEM and b'"input_audio"' in event.message
            meter, size = ("audio_input_tokens", _LETTERS_HEARD) if sounds else ("input_tokens", _BYTES_PER_TOKEN)
            self._read[meter] += -(-len(event.message) // size)

    def told(self, report: UsageReport) -> None:
        read: Counter[str] = Counter()
        for meter, quantity in report.meters.items():
            read["audio_input_tokens" if "audio" in meter else "input_tokens"] += quantity
        self._read = read

    def typical(self, meter: ResponseMeter) -> Meters:
        """Returns an estimate for a response that was cut."""
        return {**self._read, **meter.made()}


def realtime_report(usage: object) -> UsageReport | None:
    """Reads the usage. Cached tokens are part of the input, and cached tokens of each kind are part of that kind."""
    asked, answered = count(usage, "input_tokens"), count(usage, "output_tokens")
    if not isinstance(usage, dict) or asked is None or answered is None:
        return None
    heard, cut_in = divide(asked, _input_parts(usage.get("input_token_details")), "input_tokens")
    details = usage.get("output_token_details")
    parts = {
        "audio_output_tokens": count(details, "audio_tokens") or 0,
        "reasoning_tokens": count(details, "reasoning_tokens") or 0,
    }
    said, cut_out = divide(answered, parts, "output_tokens")
    return UsageReport({**heard, **said}, clamped=cut_in or cut_out)


def _input_parts(details: object) -> Mapping[str, int]:
    kept = details.get("cached_tokens_details") if isinstance(details, dict) else None
    sound, pictures = count(kept, "audio_tokens") or 0, count(kept, "image_tokens") or 0
    text = max((count(details, "cached_tokens") or 0) - sound - pictures, 0)
    return {
        "cached_audio_input_tokens": sound,
        "cached_image_input_tokens": pictures,
        "cached_input_tokens": text,
        "audio_input_tokens": max((count(details, "audio_tokens") or 0) - sound, 0),
        "image_input_tokens": max((count(details, "image_tokens") or 0) - pictures, 0),
    }


REALTIME = Realtime()
