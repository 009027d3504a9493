"""The endpoint POST /v1/audio/speech, and the forms of /v1/audio/transcriptions and /v1/audio/translations.

Speech is paid by the letter or by the token, and transcription by the second or by the token. Letters are counted here.
The response reports seconds and tokens. Until then, the size of a file bounds its duration.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

from softix_proxy.dialects.core.base import RequestSpec, Scale, StreamMeter, UsageReport
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.sse import EventAction, EventMeter
from softix_proxy.dialects.core.tokens import decimals, milliseconds, openai_report
from softix_proxy.dialects.openai.members import SPEECH, TRANSCRIPTIONS, TRANSLATIONS
from softix_proxy.dialects.openai.recording import most_ms_per_byte
from softix_proxy.dialects.openai.references import RULES
from softix_proxy.dialects.openai.shared import FORM, FormEndpoint, OpenAIEndpoint
from softix_proxy.dialects.request.fields import MALFORMED, SHARED, JsonMembers, read_request, unmetered
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.domain.access.objects import ObjectRef

_LETTER_TOKENS = 8
"""The output tokens that are reserved for each letter. Slow speech has some six tokens of sound for a letter."""
_TYPICAL_MS = Fraction(1000, 8000)
"""The typical milliseconds of sound for each byte: 64 kbit/s are usual."""
_MS_TOKENS = Fraction(10, 1000)
"""The tokens for each millisecond. A second of sound has ten tokens."""
_PROMPT_TOKENS = 2048
_TRANSCRIPT_TOKENS = 16_384
_TELLING = ("json", "verbose_json", "diarized_json")
_SPEECH_FIELDS = SHARED | SPEECH.watched | {"input", "stream_format", "response_format", "voice"}
_VOICE = ("voice",)


def _voices(fields: JsonMembers, size_bytes: int) -> tuple[ObjectRef, ...]:
    """Returns the voice of one's own that a request names. The voices of the provider are words."""
    found = FoundRefs(size_bytes)
    found.members(fields, _VOICE, RULES)
    return found.refs


class Speech(OpenAIEndpoint):
    """Meters speech. The response is plain sound, or events (`stream_format` `sse`). Only events report tokens.

    If the model is paid by the token, softix requests events. A client that did not request them gets the sound in
    them.
    """

    name = "speech"
    path = "/v1/audio/speech"
    members = SPEECH
    framed = False

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _SPEECH_FIELDS)
        members = SPEECH.read(fields)
        letters = len(fields.text("input") or "")
        events = fields.text("stream_format") == "sse"
        kind = fields.text("response_format") or "mp3"
        return RequestSpec(
            model=model,
            stream=True,
            max_output_tokens=letters * _LETTER_TOKENS + 1024,
            wants_usage=events,
            counted={"characters": letters},
            priced_by=("characters", "audio_output_tokens"),
            typical={"input_tokens": -(-letters // 4), "audio_output_tokens": letters * 2},
            unwrapped=None if events else _TYPES.get(kind, "application/octet-stream"),
            open_input=members.opens,
            unknown_members=members.unknown,
            refs=_voices(fields, len(body)),
        )

    def rewrite(self, body: bytes, *, ask_usage: bool, **others: Any) -> bytes:
        changed = super().rewrite(body, ask_usage=False, **others)
        return JsonMembers(changed, frozenset()).replaced({"stream_format": b'"sse"'}) if ask_usage else changed

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return SoundMeter() if hide_usage else SpokenMeter()


_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


class _Event(msgspec.Struct):
    type: Any = None
    usage: Any = None
    delta: Any = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class SpokenMeter(EventMeter):
    """Meters speech and transcripts as events.

    A stream ends with the event that reports the usage, or with an error.
    """

    def inspect(self, data: bytes) -> EventAction:
        try:
            event = _EVENT.decode(data)
        except MALFORMED:
            return EventAction.PASS
        if event.error or event.type == "error":
            self.failure = classify_event(event.error)
            return EventAction.END
        self.weigh(event.delta)
        if event.type not in ("speech.audio.done", "transcript.text.done"):
            return EventAction.PASS
        report = audio_report(event.usage)
        if report is not None and event.type == "speech.audio.done":
            meters = {name: number for name, number in report.meters.items() if name != "output_tokens"}
            made = report.meters.get("output_tokens", 0)
            report = UsageReport({**meters, "audio_output_tokens": made + meters.get("audio_output_tokens", 0)})
        self.report, self.finishing = report, True
        return EventAction.END


class _Unwrapping(SpokenMeter):
    def __init__(self) -> None:
        super().__init__()
        self.sound = b""

    def inspect(self, data: bytes) -> EventAction:
        fate = super().inspect(data)
        if fate is EventAction.PASS:
            try:
                self.sound += b64decode(_SOUND.decode(data).audio)
            except (*MALFORMED, ValueError):
                pass
        return fate


class _Sound(msgspec.Struct):
    audio: str = ""


_SOUND = msgspec.json.Decoder(_Sound)
_EVENTS = (b"data:", b"event:")


class SoundMeter(EventMeter):
    """Meters sound. It passes plain sound unchanged, and takes sound out of the events that contain it.

    The last byte of the sound waits for the settlement.
    """

    def __init__(self) -> None:
        super().__init__()
        self._events: _Unwrapping | None = None
        self._start = b""
        self._begun = False
        self._last = b""

    def feed(self, chunk: bytes) -> bytes:
        if not self._begun:
            self._start += chunk
            if len(self._start) < len(_EVENTS[1]):
                return b""
            chunk, self._start, self._begun = self._start, b"", True
            self._events = _Unwrapping() if chunk.startswith(_EVENTS) else None
        if self._events is not None:
            chunk = self._unwrap(self._events, chunk)
        if self._taken or not chunk:
            return chunk
        whole = self._last + chunk
        self._last = whole[-1:]
        return whole[:-1]

    def _unwrap(self, events: _Unwrapping, chunk: bytes) -> bytes:
        events.feed(chunk)
        sound, events.sound = events.sound, b""
        self.report, self.ended, self.finishing = events.report, events.ended, events.finishing
        self.failure = events.failure
        return sound

    def take_held(self) -> bytes:
        self._taken = True
        return self._last + self._start

    def estimate_output_tokens(self) -> int:
        return 0


class _Answer(msgspec.Struct):
    usage: Any = None
    duration: Any = None


_ANSWER = decimals(_Answer)


def audio_report(usage: object) -> UsageReport | None:
    """Reads seconds or tokens. A usage in tokens also reports whether the input contains text."""
    seconds = milliseconds(usage, "seconds")
    if seconds is not None:
        return UsageReport({"audio_ms": seconds})
    if isinstance(usage, dict) and "input_token_details" in usage:
        usage = {**usage, "input_tokens_details": usage["input_token_details"]}
    return openai_report(usage, None, None)


class Transcriptions(FormEndpoint):
    """Meters transcriptions: by the tokens that the provider reports, or by the seconds of the recording."""

    name = "transcriptions"
    path = "/v1/audio/transcriptions"
    members = TRANSCRIPTIONS
    form_fields: frozenset[str] | None = FORM | {"response_format"}
    telling: tuple[str, ...] = _TELLING
    """The response formats that report the duration of the recording."""
    format = "json"
    """The response format if the request names none."""

    def read(self, body: bytes) -> RequestSpec:
        model, fields = self.form(body)
        members = self.members.read(fields)
        if (fields.text("response_format") or self.format) not in self.telling:
            raise unmetered(
                f"This `response_format` does not say how much was heard, only {' or '.join(self.telling)} does."
            )
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=_TRANSCRIPT_TOKENS,
            priced_by=("audio_ms", "audio_input_tokens"),
            most_input_tokens=_PROMPT_TOKENS,
            by_size=_by_size(most_ms_per_byte(fields.file_start)),
            open_input=members.opens,
            unknown_members=members.unknown,
        )

    def report(self, body: bytes) -> UsageReport | None:
        try:
            answer = _ANSWER.decode(body)
        except MALFORMED:
            return None
        heard = milliseconds({"duration": answer.duration}, "duration")
        return audio_report(answer.usage) or (None if heard is None else UsageReport({"audio_ms": heard}))

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        return SpokenMeter()


def _by_size(most_ms: Fraction) -> Mapping[str, Scale]:
    return {
        "audio_ms": Scale(most_ms, _TYPICAL_MS),
        "audio_input_tokens": Scale(most_ms * _MS_TOKENS, _TYPICAL_MS * _MS_TOKENS),
    }


class Translations(Transcriptions):
    name = "translations"
    path = "/v1/audio/translations"
    members = TRANSLATIONS
    telling = ("verbose_json",)
