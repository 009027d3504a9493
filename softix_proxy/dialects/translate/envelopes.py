"""Anthropic's messages for a cloud that carries them.

The body names the version, the path the model and whether the answer streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from softix_proxy.dialects.event_stream import BrokenFramesError, EventStream
from softix_proxy.dialects.fields import JsonMembers
from softix_proxy.dialects.translate.canonical import CanonicalRequest, ContentPart, MediaPart, Setting, ToolResult
from softix_proxy.dialects.translate.frames import as_message_event
from softix_proxy.dialects.translate.losses import Losses
from softix_proxy.dialects.translate.messages.write_request import write_request
from softix_proxy.dialects.translate.wire import Object, names, seen_object, seen_text
from softix_proxy.dialects.translate.write_error import anthropic_error, translated_error

_LIMIT = "max_tokens"
_APART = frozenset(("model", "stream", "anthropic_version", "anthropic_beta"))
"""What of a body the cloud has elsewhere, or in its own words."""
_WATCHED = _APART | {_LIMIT}
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$", re.ASCII)
_BEDROCK_BETAS = names(
    """compact computer-use context-1m context-management dev-full-thinking effort fine-grained-tool-streaming
    interleaved-thinking output-128k token-efficient-tools tool-examples tool-search-tool"""
)


class Envelope(NamedTuple):
    version: str
    betas: frozenset[str] = frozenset()
    """Those that go into the body, without their dates; others would be refused there."""
    takes_urls: bool = True
    frames: bool = False
    """Its streams come in AWS's frames."""


INVOKE = Envelope("bedrock-2023-05-31", _BEDROCK_BETAS, takes_urls=False, frames=True)
RAW_PREDICT = Envelope("vertex-2023-10-16")


class Translated(NamedTuple):
    body: bytes
    dropped: tuple[str, ...]
    """What the provider will not know of, or only about; names from losses.py."""


def writer(envelope: Envelope) -> Callable[[CanonicalRequest, Setting, Losses], Object]:
    """For clients of other dialects."""

    def write(request: CanonicalRequest, setting: Setting, losses: Losses) -> Object:
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
    """For clients that speak messages themselves: nothing is read that need not be, and nothing is lost."""

    failed = False
    """Its errors have a status of their own."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def request(self, body: bytes, setting: Setting) -> Translated:
        """Raises RefusedError for what is no JSON object."""
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
    """A stream's events as Anthropic sends them, each as it was."""

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
