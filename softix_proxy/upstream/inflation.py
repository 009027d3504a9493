"""Inflates responses that a provider compressed although it was asked not to, so that their usage can still be read.

The output comes in pieces of a bounded size, so that a small response cannot become a large one in memory at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.headers import Header, Headers
from softix_proxy.domain.ports.upstream import ProviderFault

_ENCODING = "content-encoding"
_PLAIN = frozenset(("", "identity"))
_DEFLATES = frozenset(("gzip", "x-gzip", "deflate"))
_EITHER_HEADER = zlib.MAX_WBITS | 32
"""The window size that makes zlib recognise the header of gzip and its own."""
_PIECE_BYTES = 64 * 1024


def inflation_of(headers: Headers) -> Inflation | None:
    """Returns what inflates a response with these headers, or None for a plain one.

    Raises ProviderFault for an encoding that cannot be read here, and so cannot be metered.
    """
    named = [value for name, value in headers if name == _ENCODING]
    if not named:
        return None
    encodings = [word for value in named for part in value.split(",") if (word := part.strip().lower()) not in _PLAIN]
    if not encodings:
        return None
    if len(encodings) > 1 or encodings[0] not in _DEFLATES:
        raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
    return Inflation()


def inflated_headers(headers: Iterable[Header]) -> list[Header]:
    """Returns the headers without those that describe the compressed body."""
    return [header for header in headers if header[0] not in (_ENCODING, "content-length")]


class Inflation:
    """The inflation of one response. `feed` takes what arrived, and `piece` returns the next part of the output."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_EITHER_HEADER)
        self._waiting = b""
        self._more = False
        """Whether the last piece was as large as a piece may be, so that more may come without any input."""

    @property
    def complete(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes) -> None:
        self._waiting += chunk

    def piece(self) -> bytes:
        """Returns the next part, or empty bytes if more has to arrive first. Raises ProviderFault."""
        if self._stream.eof or not (self._waiting or self._more):
            return b""
        try:
            piece = self._stream.decompress(self._waiting, _PIECE_BYTES)
        except zlib.error:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True) from None
        self._waiting = self._stream.unconsumed_tail
        self._more = len(piece) == _PIECE_BYTES
        return piece
