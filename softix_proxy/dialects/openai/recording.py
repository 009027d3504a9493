"""Bounds how long a recording can be, from its size and the form of its file.

A file's own statement of its length is not believed, since the client wrote it. What a decoder can make of so many
bytes is what the codec allows. The first bytes of a file show its container.
"""

from __future__ import annotations

from fractions import Fraction

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_PLAIN = (_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE)
"""The formats of WAV in which each sample has the same number of bytes."""
UNKNOWN = Fraction(60)
"""The milliseconds for each byte of Ogg and FLAC, and of any other container, or if none is seen yet.

An Ogg page of 537 bytes holds 255 packets of Opus, each of one byte for 120 ms (RFC 3533, RFC 6716): 57 ms for each
byte. Silence in the streamable subset of FLAC (RFC 9639) is as long: 4,608 samples at 8 kHz in ten bytes.
"""
_BLOCKS = Fraction(24)
"""The milliseconds for each byte of containers whose blocks have heads, or whose frames are longer.

AAC has 1,024 samples at 8 kHz in at least six bytes, a WebM block seven bytes for 120 ms, and AMR one byte for 20 ms
(ISO/IEC 14496-3, RFC 9559, RFC 4867).
"""
_MPEG = Fraction(1)
"""The milliseconds for each byte of MPEG sound, whose lowest bit rate is 8 kbit/s (ISO/IEC 13818-3)."""
_WAV_HEAD_BYTES = 36
_TAG_HEAD_BYTES = 10


def most_ms_per_byte(start: bytes) -> Fraction:
    """Returns the most milliseconds of sound that each byte of a file with these first bytes can hold."""
    if start[:4] == b"RIFF" and start[8:16] == b"WAVEfmt " and len(start) >= _WAV_HEAD_BYTES:
        return _of_wav(start)
    sound = start[_tag_bytes(start) :]
    if _is_mpeg(sound):
        return _MPEG
    in_blocks = sound[4:8] == b"ftyp" or sound.startswith((b"\x1aE\xdf\xa3", b"#!AMR", b"\xff\xf1", b"\xff\xf9"))
    return _BLOCKS if in_blocks else UNKNOWN


def _tag_bytes(start: bytes) -> int:
    """Returns the length of an ID3 tag, whose four digits have seven bits each. Other sound than MPEG may follow it."""
    if start[:3] != b"ID3" or len(start) < _TAG_HEAD_BYTES:
        return 0
    size = 0
    for digit in start[6:_TAG_HEAD_BYTES]:
        size = size << 7 | digit & 0x7F
    return _TAG_HEAD_BYTES + size


def _is_mpeg(start: bytes) -> bool:
    """Returns whether an MPEG frame begins here. The layer of zero is AAC."""
    return len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 in (0xE2, 0xE4, 0xE6)


def _of_wav(start: bytes) -> Fraction:
    """Reads the format chunk of a WAV file.

    A sample has a fixed number of bytes, and its rate is what the decoder plays it at. So this is no mere claim.
    """
    kind, channels = int.from_bytes(start[20:22], "little"), int.from_bytes(start[22:24], "little")
    rate, bits = int.from_bytes(start[24:28], "little"), int.from_bytes(start[34:36], "little")
    if kind not in _PLAIN or not (channels and rate and bits >= 8):
        return UNKNOWN
    return Fraction(1000, rate * channels * (bits // 8))
