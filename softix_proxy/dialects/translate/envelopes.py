"""Adapts Anthropic's messages for a cloud that carries them.

The body names the version. The path names the model and whether the response is streamed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from softix_proxy.dialects.anthropic.write_request import write_request
from softix_proxy.dialects.canonical.json_values import Object, names, seen_object, seen_text
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import CanonicalRequest, ContentPart, MediaPart, ToolResult, WriteOptions
from softix_proxy.dialects.canonical.write_error import anthropic_error, translated_error
from softix_proxy.dialects.core.event_stream import BrokenFramesError, EventStream
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.translate.frames import as_message_event

_LIMIT = "max_tokens"
_APART = frozenset(("model", "stream", "anthropic_version", "anthropic_beta"))
"""The members of a body that the cloud expects elsewhere or in its own words."""
_WATCHED = _APART | {_LIMIT}
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$", re.ASCII)
_BEDROCK_BETAS = names(
    """compact computer-use context-1m context-management dev-full-thinking effort fine-grained-tool-streaming
    interleaved-thinking output-128k token-efficient-tools tool-examples tool-search-tool"""
)


class Envelope(NamedTuple):
    version: str
    betas: frozenset[str] = frozenset()
    """The beta features that go into the body, without their dates. The cloud would refuse others there."""
    takes_urls: bool = True
    frames: bool = False
    """Whether its streams are in AWS's framing."""


INVOKE = Envelope("bedrock-2023-05-31", _BEDROCK_BETAS, takes_urls=False, frames=True)
RAW_PREDICT = Envelope("vertex-2023-10-16")


class Translated(NamedTuple):
    body: bytes
    dropped: tuple[str, ...]
    """The fields that the provider does not get, or gets only approximately. The names are those of `losses.py`."""


def writer(envelope: Envelope) -> Callable[[CanonicalRequest, WriteOptions, Losses], Object]:
    """Returns the function that writes a request for clients of other dialects."""

    def write(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
        if not envelope.takes_urls and any(_has_url(part) for turn in request.turns for part in turn.parts):
            losses.meet("media_url")
        written = write_request(request, setting, losses)
        body = {name: value for name, value in written.items() if name not in _APART}
        return {"anthropic_version": envelope.version, **body}

    return write


def _has_url(part: ContentPart) -> bool:
    if isinstance(part, ToolResult):
        return any(_has_url(inner) for inner in part.parts)
    return isinstance(part, MediaPart) and bool(part.url)


class Adaptation:
    """The adaptation for clients that speak messages. It reads no more than necessary, and nothing is lost."""

    failed = False
    """It is always false, since errors have an error status."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def request(self, body: bytes, setting: WriteOptions) -> Translated:
        """Adapts a request. Raises RefusedError if the body is no JSON object."""
        envelope = self._envelope
        changes = {"anthropic_version": msgspec.json.encode(envelope.version)}
        kept = [beta for beta in setting.betas if _DATE.sub("", beta) in envelope.betas]
        if kept:
            changes["anthropic_beta"] = msgspec.json.encode(kept)
        if setting.output_limit is not None:
            limit = min(setting.output_limit, setting.most_output_tokens or setting.output_limit)
            changes[_LIMIT] = b"%d" % limit
        adapted = JsonMembers(body, _WATCHED).replaced(changes, _APART)
        lost = envelope.betas and len(kept) < len(setting.betas)
        return Translated(adapted, ("anthropic_beta",) if lost else ())

    def answer(self, body: bytes) -> bytes:
        return body

    def error(self, status: int, body: bytes, named: str = "") -> bytes:
        found = seen_object(body)
        if found is not None and found.get("type") == "error":
            return body
        return translated_error(anthropic_error, status, body, named)

    def stream(self) -> Unwrapper:
        return Unwrapper(self._envelope)


class Unwrapper:
    """A translator of a stream into the events that Anthropic sends. Each event stays unchanged."""

    def __init__(self, envelope: Envelope) -> None:
        self._frames = EventStream() if envelope.frames else None

    def feed(self, chunk: bytes) -> bytes:
        return chunk if self._frames is None else b"".join(self._unwrapped(self._frames, chunk))

    def end(self) -> bytes:
        return b""

    @staticmethod
    def _unwrapped(frames: EventStream, chunk: bytes) -> Iterator[bytes]:
        try:
            for event in frames.feed(chunk):
                data = as_message_event(event)
                found = None if data is None else seen_object(data)
                if data is not None and found is not None:
                    yield b"event: %b\ndata: %b\n\n" % (seen_text(found, "type").encode(), data)
        except BrokenFramesError:
            return
