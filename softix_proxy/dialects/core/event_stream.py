"""Reads AWS's binary framing of events, `application/vnd.amazon.eventstream`.

A frame begins with its length and the length of its headers, four bytes each, and a checksum of these eight bytes.
Headers and payload follow, and then a checksum of everything before. All numbers are big-endian. The checksums are
CRC-32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

_PRELUDE = struct.Struct(">II")
_CHECKSUM = struct.Struct(">I")
_HEAD_BYTES = _PRELUDE.size + _CHECKSUM.size
_LEAST_BYTES = _HEAD_BYTES + _CHECKSUM.size
_MOST_BYTES = 16 * 1024 * 1024
_MOST_HEADER_BYTES = 128 * 1024
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""A mapping from a header's value type to its size in bytes. Types 6 and 7 contain their own size."""
_BYTES, _TEXT = 6, 7


class BrokenFramesError(Exception):
    """The data is not in this framing, or it was damaged on the way."""


class EventStreamMessage(NamedTuple):
    headers: dict[str, str]
    """The headers with text values: `:message-type`, `:event-type`, `:exception-type`, `:content-type`."""
    payload: bytes
    size: int
    """The size of the frame in bytes."""

    @property
    def kind(self) -> str:
        return self.headers.get(":event-type") or self.headers.get(":exception-type") or ""


class EventStream:
    """A parser of frames. `feed` yields each event once its frame is complete and its checksums are right.

    Chunks may be split anywhere.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def waiting(self) -> bytes:
        """Returns the bytes of a frame that is not yet complete."""
        return bytes(self._buffer)

    def feed(self, chunk: bytes) -> Iterator[EventStreamMessage]:
        """Yields the events that this chunk completes.

        Raises BrokenFramesError if a frame is damaged. The data after it is lost then.
        """
        self._buffer += chunk
        while len(self._buffer) >= _HEAD_BYTES:
            size, header_bytes = _PRELUDE.unpack_from(self._buffer)
            if _CHECKSUM.unpack_from(self._buffer, _PRELUDE.size)[0] != crc32(self._buffer[: _PRELUDE.size]):
                raise BrokenFramesError
            if not _LEAST_BYTES + header_bytes <= size <= _MOST_BYTES or header_bytes > _MOST_HEADER_BYTES:
                raise BrokenFramesError
            if len(self._buffer) < size:
                return
            frame = bytes(memoryview(self._buffer)[:size])
            del self._buffer[:size]
            if _CHECKSUM.unpack_from(frame, size - _CHECKSUM.size)[0] != crc32(frame[: -_CHECKSUM.size]):
                raise BrokenFramesError
            end = _HEAD_BYTES + header_bytes
            yield EventStreamMessage(_headers(frame[_HEAD_BYTES:end]), frame[end : -_CHECKSUM.size], size)


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name_end = at + 1 + data[at]
            name, kind = data[at + 1 : name_end].decode(), data[name_end]
            at = name_end + 1
            if kind in (_BYTES, _TEXT):
                size = int.from_bytes(data[at : at + 2], "big")
                at += 2
            else:
                size = _SIZES[kind]
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise BrokenFramesError
            if kind == _TEXT:
                found[name] = value.decode()
    except (IndexError, KeyError, UnicodeDecodeError):
        raise BrokenFramesError from None
    return found
