from __future__ import annotations

import gzip
import random
import sys
import tracemalloc
import zlib

import pytest

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.server.inflate import PIECE_BYTES, inflater

TEXT = random.Random(5).randbytes(300_000) + b"plain text " * 100_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    " GZip ": gzip.compress(TEXT[:1000]) + gzip.compress(b"") + gzip.compress(TEXT[1000:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": raw_deflate(TEXT),
}


def unpack(coding: str, data: bytes, size: int) -> bytes:
    made = inflater([coding])
    assert made is not None
    pieces = [piece for start in range(0, len(data), size) for piece in made.feed(data[start : start + size])]
    made.end()
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1 << 30, 70_000, 997])
@pytest.mark.parametrize(("coding", "packed"), PACKED.items())
def test_body_in_each_coding_is_decompressed_in_small_pieces(coding: str, packed: bytes, size: int) -> None:
    assert unpack(coding, packed, size) == TEXT


@pytest.mark.skipif(sys.version_info < (3, 14), reason="zstd is in the standard library since Python 3.14")
def test_body_in_zstd_is_decompressed_where_python_can_do_it() -> None:
    from compression import zstd  # type: ignore[import-not-found, unused-ignore]

    assert unpack("zstd", zstd.compress(TEXT) + zstd.compress(b"more"), 5000) == TEXT + b"more"


@pytest.mark.parametrize("values", [["identity"], [""], [" Identity "]])
def test_plain_body_has_no_decompressor(values: list[str]) -> None:
    assert inflater(values) is None


@pytest.mark.parametrize("values", [["compress"], ["gzip, gzip"], ["gzip", "deflate"], ["br"], ["wombat"]])
def test_body_in_an_unknown_coding_is_refused_with_those_that_are_known(values: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        inflater(values)
    assert refused.value.code is Code.UNSUPPORTED_ENCODING
    assert "gzip, deflate" in refused.value.message and "wombat" not in refused.value.message
    assert dict(refused.value.headers)["accept-encoding"].startswith("gzip, deflate")


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"not packed"),
        ("gzip", gzip.compress(TEXT)[:-1]),
        ("gzip", gzip.compress(TEXT) + b"more"),
        ("gzip", gzip.compress(b"") * 1001),
        ("gzip", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", zlib.compress(TEXT) + zlib.compress(TEXT)),
        ("deflate", gzip.compress(TEXT)),
    ],
)
def test_body_that_is_not_compressed_as_it_says_is_refused(coding: str, data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(coding, data, 10_000)


def test_body_that_expands_a_thousandfold_takes_memory_for_one_piece() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    made = inflater(["gzip"])
    assert made is not None
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in made.feed(bomb))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 100_000_000 and peak_bytes < 10 * PIECE_BYTES


def test_empty_body_is_no_error_in_any_coding() -> None:
    assert unpack("gzip", b"", 10) == b"" == unpack("deflate", b"", 10)
