"""Decompresses request bodies piece by piece.

aiohttp's own decompression is switched off, because it also decompresses what was refused already: a body of 1 MB
then takes more than a second of all others' time, and anybody could send it without a key.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from softix_proxy.domain.core.errors import Code, RefusedError

PIECE_BYTES = 64 * 1024
"""The most bytes that one step produces."""
_TAKEN_BYTES = 16 * 1024
"""The most bytes that one step is given. zlib copies what it leaves over, once in every step."""
_MOST_MEMBERS = 1000
"""The most members of a body in gzip. Each of them takes time, even if it is empty."""
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")
"""The modules that read zstd. The first is in the standard library since Python 3.14, the second can be installed."""


class Inflater:
    """A decompressor of one body. It raises ValueError if the body is not compressed as its headers say."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields what these bytes decompress to, in pieces of at most `PIECE_BYTES`."""
        for start in range(0, len(data), _TAKEN_BYTES):
            yield from self._take(data[start : start + _TAKEN_BYTES])

    def _take(self, data: bytes) -> Iterator[bytes]:
        raise NotImplementedError

    def end(self) -> None:
        """Raises ValueError if the body ends too early."""
        raise NotImplementedError


class _Zlib(Inflater):
    """Decompresses gzip, and deflate with or without the header of zlib, since many clients leave it out."""

    def __init__(self, coding: str) -> None:
        self._gzip = coding == "gzip"
        self._stream: Any = None
        self._members = 0

    def _take(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._stream is None:
                self._stream = self._begin(data)
            try:
                piece = self._stream.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise ValueError from None
            if piece:
                yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                data = self._stream.unused_data
                if not data:
                    return
                self._stream = None  # the next member of a body in gzip begins
            elif not data and len(piece) < PIECE_BYTES:
                return

    def _begin(self, data: bytes) -> Any:
        self._members += 1
        if self._members > (_MOST_MEMBERS if self._gzip else 1):
            raise ValueError
        if self._gzip:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        has_header = data[0] & 0xF == 8
        return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def end(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise ValueError


class _Zstd(Inflater):
    """Decompresses zstd, frame by frame. It is used only if a module for it is installed."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._stream: Any = None
        self._frames = 0

    def _take(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._stream is None:
                self._frames += 1
                if self._frames > _MOST_MEMBERS:
                    raise ValueError
                self._stream = self._module.ZstdDecompressor()
            try:
                piece = self._stream.decompress(data, max_length=PIECE_BYTES)
            except self._module.ZstdError:
                raise ValueError from None
            if piece:
                yield piece
            data = b""
            if self._stream.eof:
                data = self._stream.unused_data
                if not data:
                    return
                self._stream = None
            elif self._stream.needs_input:
                return

    def end(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise ValueError


def _codings() -> Mapping[str, Callable[[], Inflater]]:
    """Returns the codings that can be decompressed. `x-gzip` is another name of gzip (RFC 9110, section 8.4.1.3)."""
    found: dict[str, Callable[[], Inflater]] = {
        "gzip": partial(_Zlib, "gzip"),
        "x-gzip": partial(_Zlib, "gzip"),
        "deflate": partial(_Zlib, "deflate"),
    }
    for name in _ZSTD_MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        found["zstd"] = partial(_Zstd, module)
        break
    return found


_CODINGS = _codings()
_PLAIN = frozenset(("", "identity"))


def inflater(values: Iterable[str]) -> Inflater | None:
    """Returns the decompressor for the values of `Content-Encoding`, or None if the body is not compressed.

    Raises RefusedError for a coding that softix does not read, and for several codings one upon the other.
    """
    coding = ",".join(values).strip().lower()
    if coding in _PLAIN:
        return None
    make = _CODINGS.get(coding)
    if make is None:
        known = ", ".join(name for name in _CODINGS if not name.startswith("x-"))
        raise RefusedError(
            Code.UNSUPPORTED_ENCODING,
            f"The request's body is compressed in a way that is not read here. Send it plain, or as one of: {known}.",
            headers=(("accept-encoding", known),),
        )
    return make()
