from __future__ import annotations

import gzip
import random
import zlib

import pytest

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.upstream.inflation import Inflation, inflated_headers, inflation_of

TEXT = random.Random(5).randbytes(300_000) + b"a" * 300_000


def inflated(packed: bytes, size: int) -> tuple[bytes, bool]:
    inflation, parts = Inflation(), []
    for start in range(0, len(packed), size):
        inflation.feed(packed[start : start + size])
        while piece := inflation.piece():
            assert len(piece) <= 64 * 1024
            parts.append(piece)
    return b"".join(parts), inflation.complete


@pytest.mark.parametrize("size", [1009, 65_536, 10**7])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_body_in_chunks_of_any_size_is_inflated_in_bounded_pieces(pack: object, size: int) -> None:
    assert callable(pack)
    assert inflated(pack(TEXT), size) == (TEXT, True)


def test_cut_body_is_not_complete_and_a_corrupt_one_is_a_fault() -> None:
    packed = gzip.compress(TEXT)
    assert inflated(packed[:-9], 4096)[1] is False
    inflation = Inflation()
    inflation.feed(b"no gzip at all")
    with pytest.raises(ProviderFault) as fault:
        inflation.piece()
    assert (fault.value.code, fault.value.started) == (Code.PROVIDER_BROKE_OFF, True)


@pytest.mark.parametrize("value", ["gzip", "x-gzip", "Deflate", "identity, gzip"])
def test_inflation_of_a_known_encoding_replaces_the_headers_of_the_compressed_body(value: str) -> None:
    headers = [("content-encoding", value), ("content-length", "5"), ("x-kept", "1")]
    assert inflation_of(headers) is not None
    assert inflated_headers(headers) == [("x-kept", "1")]


def test_plain_response_needs_no_inflation() -> None:
    assert inflation_of([("content-type", "text/plain")]) is inflation_of([("content-encoding", "identity")]) is None


@pytest.mark.parametrize("value", ["br", "zstd", "gzip, gzip", "wombat"])
def test_encoding_that_cannot_be_read_is_a_fault_of_the_provider(value: str) -> None:
    with pytest.raises(ProviderFault) as fault:
        inflation_of([("content-encoding", value)])
    assert fault.value.started
