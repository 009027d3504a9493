import io
import wave
from fractions import Fraction

import pytest

from softix_proxy.dialects.openai.recording import UNKNOWN, most_ms_per_byte

AAC_WITH_A_TAG = b"ID3\x04\0\0\0\0\0\x02ab\xff\xf1"


def wav(rate: int, channels: int, sample_bytes: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(sample_bytes)
        made.setframerate(rate)
        made.writeframes(b"\0" * 100)
    return file.getvalue()


@pytest.mark.parametrize(
    ("rate", "channels", "sample_bytes"), [(8000, 1, 1), (16_000, 1, 2), (44_100, 2, 2), (1, 1, 1)]
)
def test_length_of_wav_is_by_its_rate_and_samples(rate: int, channels: int, sample_bytes: int) -> None:
    assert most_ms_per_byte(wav(rate, channels, sample_bytes)) == Fraction(1000, rate * channels * sample_bytes)


def test_length_of_wav_that_is_compressed_or_cut_is_not_believed() -> None:
    adpcm = bytearray(wav(8000, 1, 2))
    adpcm[20:22] = b"\x11\x00"
    assert most_ms_per_byte(bytes(adpcm)) == most_ms_per_byte(wav(8000, 1, 2)[:30]) == UNKNOWN


@pytest.mark.parametrize(
    "start", [b"\xff\xfb\x90\x00", b"\xff\xf3\x18", b"ID3\x04\x00\x00\x00\x00\x00\x02ab\xff\xfb\x90"]
)
def test_length_of_mpeg_sound_is_by_its_lowest_bit_rate(start: bytes) -> None:
    """8 kbit/s are a byte for each millisecond."""
    assert most_ms_per_byte(start) == 1


@pytest.mark.parametrize("start", [b"", b"OggS", b"fLaC", b"ID3", b"wombat"])
def test_length_of_other_sound_is_by_the_longest_silence(start: bytes) -> None:
    assert most_ms_per_byte(start) == UNKNOWN == 60


@pytest.mark.parametrize(
    "start", [b"\0\0\0 ftypM4A ", b"\x1aE\xdf\xa3", b"\xff\xf1P", AAC_WITH_A_TAG, b"#!AMR\n", b"#!AMR-WB\n"]
)
def test_length_of_sound_in_blocks_is_by_the_shortest_block(start: bytes) -> None:
    assert most_ms_per_byte(start) == 24
