"""Answers and streams are in tests/golden; here is what is refused, and what a size allows."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from softix_proxy.dialects.openai.audio import SoundMeter, audio_report
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

SPEECH, TRANSCRIPTIONS, TRANSLATIONS = (ENDPOINTS[name] for name in ("speech", "transcriptions", "translations"))


def form(**texts: str) -> bytes:
    parts = [f'--d\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in texts.items()]
    return ("".join(parts) + '--d\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsound').encode()


def test_speech_input_counts_characters_as_code_points() -> None:
    spec = SPEECH.read(json.dumps({"model": "m", "input": "Grüß 🦊"}).encode())
    assert spec.counted == {"characters": 6}


def test_transcription_size_limits_match_bytes_of_a_minute() -> None:
    scale = TRANSCRIPTIONS.read(form(model="m")).by_size["audio_ms"]
    assert scale.most * 1000 == 60_000 and scale.typical * 480_000 == 60_000, "its form is not known"


@pytest.mark.parametrize("name", ["text", "srt", "vtt", "wombat"])
def test_audio_format_without_a_duration_is_refused_as_not_metered(name: str) -> None:
    for endpoint in (TRANSCRIPTIONS, TRANSLATIONS):
        with pytest.raises(RefusedError) as raised:
            endpoint.read(form(model="m", response_format=name))
        assert raised.value.code is Code.ENDPOINT_NOT_METERED and "verbose_json" in raised.value.message
        assert "wombat" not in raised.value.message


def test_translation_is_accepted_only_as_verbose_json() -> None:
    with pytest.raises(RefusedError):
        TRANSLATIONS.read(form(model="m"))
    assert TRANSLATIONS.read(form(model="m", response_format="verbose_json")).model == "m"


@pytest.mark.parametrize("texts", [{}, {"model": ""}, {"model": "m", "models": "a,b"}, {"model": "m", "stream": "no"}])
def test_transcription_form_with_bad_fields_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as raised:
        TRANSCRIPTIONS.read(form(**texts))
    assert raised.value.code is Code.INVALID_REQUEST


def test_rewrite_of_a_form_renames_only_the_model() -> None:
    body = form(model="mine", prompt="mine")
    changed = TRANSCRIPTIONS.rewrite(body, model="theirs", max_output_tokens=5, ask_usage=True)
    assert changed == body.replace(b"\r\n\r\nmine", b"\r\n\r\ntheirs", 1)
    assert TRANSCRIPTIONS.rewrite(body, model=None, max_output_tokens=None, ask_usage=False) is body


@pytest.mark.parametrize(
    "usage", [None, {"type": "duration"}, {"seconds": "9"}, {"seconds": -1}, {"seconds": True}, {"seconds": 10**9}]
)
def test_audio_report_with_odd_usage_is_none(usage: Any) -> None:
    assert audio_report(usage) is None


def test_sound_meter_with_raw_sound_holds_only_the_last_byte() -> None:
    meter = SoundMeter()
    assert [meter.feed(chunk) for chunk in (b"abc", b"", b"def", b"g")] == [b"", b"", b"abcde", b"f"]
    assert meter.take_held() == b"g" and meter.feed(b"h") == b"h"
    short = SoundMeter()
    assert (short.feed(b"ab"), short.take_held()) == (b"", b"ab")


def test_sound_meter_with_events_returns_the_sound_within() -> None:
    delta = b'data: {"type":"speech.audio.delta","audio":"%b"}\n\n'
    done = b'data: {"type":"speech.audio.done","usage":{"input_tokens":4,"output_tokens":9,"total_tokens":13}}\n\n'
    stream = delta % b64encode(b"abc") + delta % b64encode(b"de") + done
    for size in (1, 7, 1000):
        meter, heard = SoundMeter(), b""
        for start in range(0, len(stream), size):
            heard += meter.feed(stream[start : start + size])
        assert meter.ended and heard == b"abcd" and meter.take_held() == b"e"
        assert meter.report is not None and meter.report.meters == {"input_tokens": 4, "audio_output_tokens": 9}
        assert meter.feed(b"data: more\n\n") == b""


def test_speech_rewrite_asks_for_events_only_if_usage_is_wanted() -> None:
    body = b'{"model":"m","input":"a"}'
    asked = SPEECH.rewrite(body, model="n", max_output_tokens=None, ask_usage=True)
    assert json.loads(asked) == {"model": "n", "input": "a", "stream_format": "sse"}
    assert SPEECH.rewrite(body, model=None, max_output_tokens=None, ask_usage=False) is body
    assert SPEECH.read(body).unwrapped == "audio/mpeg"
    assert SPEECH.read(b'{"model":"m","stream_format":"sse"}').unwrapped is None
