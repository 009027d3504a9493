import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports import packed

TEXT = b"day,amount\n" + b"2026-10-01,0.25\n" * 2000


def read(raw: bytes) -> bytes:
    file = io.BufferedReader(io.BytesIO(raw))  # type: ignore[arg-type]
    with packed.told("bill"):
        return packed.unpacked(file, "bill").read()


def archive(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as writer:
        for name, text in files.items():
            writer.writestr(name, text)
    return made.getvalue()


def test_packed_file_is_read_like_the_plain_one() -> None:
    assert read(TEXT) == read(gzip.compress(TEXT)) == read(archive({"parts/": b"", "parts/bill.csv": TEXT})) == TEXT
    assert read(b"") == b""


def test_damaged_packed_file_is_refused() -> None:
    flipped = bytearray(archive({"bill.csv": TEXT}, zipfile.ZIP_STORED))
    flipped[200] ^= 1
    for raw in (gzip.compress(TEXT)[:-9], archive({"bill.csv": TEXT})[:-30], bytes(flipped)):
        with pytest.raises(BadInputError, match="bill: the compressed file is damaged"):
            read(raw)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (archive({"a.csv": TEXT, "b.csv": TEXT}), "2 files are packed in it"),
        (bz2.compress(TEXT), "cannot read"),
        (lzma.compress(TEXT), "cannot read"),
    ],
)
def test_archive_of_two_files_or_of_another_kind_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        read(raw)


def test_archive_with_a_password_is_refused() -> None:
    locked = bytearray(archive({"bill.csv": TEXT}))
    locked[6] |= 1  # as the member says itself
    locked[locked.index(b"PK\x01\x02") + 8] |= 1  # and the list at the end
    with pytest.raises(BadInputError, match="cannot read"):
        read(bytes(locked))


@given(st.integers(0, 400), st.integers(0, 255))
def test_archive_with_any_changed_byte_is_read_or_refused(place: int, byte: int) -> None:
    raw = bytearray(archive({"bill.csv": TEXT}))
    raw[place % len(raw)] = byte
    try:
        assert read(bytes(raw)) is not None
    except BadInputError as error:
        assert error.message.startswith("bill: ")
