"""Unpacks bills in gzip and zip while they are read. Nothing is written to disk."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import IO, Any, cast

from softix_proxy.domain.core.errors import BadInputError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OTHERS = (b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")
"""The first bytes of bzip2, xz, 7z and zstd."""
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)


def unpacked(file: BufferedReader, name: str) -> BufferedReader:
    """Returns the file, or the file that is packed in it.

    Raises BadInputError. Further reads must be guarded by `told`.
    """
    start = file.peek(4)[:8]
    if start.startswith(_OTHERS):
        raise BadInputError(f"{name}: packed in a way that softix cannot read", "unpack it first, or use gzip or zip")
    if start.startswith(_GZIP):
        return _buffered(gzip.GzipFile(fileobj=file))
    return _member(file, name) if start.startswith(_ZIP) else file


def _buffered(stream: IO[bytes] | gzip.GzipFile) -> BufferedReader:
    return BufferedReader(cast(Any, stream))  # it needs only `readinto`, which both have, but its type requires more


def _member(file: BufferedReader, name: str) -> BufferedReader:
    try:
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise BadInputError(
                f"{name}: {len(members)} files are packed in it", "unpack it, and compare each by itself"
            )
        return _buffered(archive.open(members[0]))
    except (RuntimeError, ValueError, OSError, LookupError):  # it has a password, another method or invalid fields
        raise BadInputError(f"{name}: packed in a way that softix cannot read", "unpack it first") from None


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turns the errors of a damaged archive into BadInputError, wherever they occur."""
    try:
        yield
    except _DAMAGED:
        raise BadInputError(f"{name}: the compressed file is damaged", "fetch it again") from None
