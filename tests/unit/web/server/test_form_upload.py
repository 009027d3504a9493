from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from multidict import CIMultiDict

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.form_upload import FormUpload

WATCHED = frozenset(("model", "n"))
MODEL = b'--d\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
LATE = MODEL.replace(b"model", b"n")
FILE = b'--d\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 100
END = b"\r\n--d--\r\n"


class Request:
    """Gives its body piece by piece, and is closed or silent at the end."""

    def __init__(self, *pieces: bytes, announced: int | None = -1, silent: bool = False, **headers: str) -> None:
        self.pieces = list(pieces)
        self.content_length = sum(map(len, pieces)) if announced == -1 else announced
        self.headers = CIMultiDict({"Content-Type": "multipart/form-data; boundary=d", **headers})
        self.content = self
        self.silent = silent

    async def readany(self) -> bytes:
        if not self.pieces and self.silent:
            await asyncio.Event().wait()
        return self.pieces.pop(0) if self.pieces else b""


def upload(request: Request, limit_bytes: int = 10_000, timeout_s: float = 5) -> FormUpload:
    made: Any = request
    return FormUpload(made, WATCHED, limit_bytes, timeout_s)


async def rest(of: FormUpload) -> list[bytes]:
    return [chunk async for chunk in of.chunks()]


async def test_form_upload_with_fields_before_the_file_reads_only_the_fields_first() -> None:
    request = Request(MODEL, FILE, b"y" * 50, END)
    found = upload(request)
    assert await found.head() == MODEL + FILE
    assert found.size_bytes == 50 + len(END) and len(request.pieces) == 2
    assert await rest(found) == [b"y" * 50, END]


@pytest.mark.parametrize(
    "request_",
    [
        Request(FILE, b"y" * 50, b"\r\n" + MODEL + END[2:]),
        Request(MODEL, FILE, END, announced=None),
        Request(MODEL + FILE + END),
    ],
)
async def test_form_upload_that_cannot_be_streamed_is_read_completely(request_: Request) -> None:
    whole = b"".join(request_.pieces)
    found = upload(request_)
    assert await found.head() == whole
    assert found.size_bytes == 0 and await rest(found) == []


async def test_form_upload_that_is_compressed_is_read_completely_and_decompressed() -> None:
    whole = MODEL + FILE + END
    packed = gzip.compress(whole)
    found = upload(Request(packed[:20], packed[20:], **{"Content-Encoding": "gzip"}))
    assert await found.head() == whole
    assert found.size_bytes == 0 and await rest(found) == []


@pytest.mark.parametrize("pieces", [(MODEL, FILE), (FILE, b""), (MODEL,), ()])
async def test_form_upload_that_ends_early_is_refused(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(RefusedError) as raised:
        await upload(Request(*pieces, announced=None)).head()
    assert raised.value.code is Code.INVALID_REQUEST


async def test_form_upload_with_a_watched_field_after_the_file_is_refused() -> None:
    found = upload(Request(MODEL, FILE, b"\r\n" + LATE + END[2:]))
    await found.head()
    with pytest.raises(RefusedError, match="before the files"):
        await rest(found)


async def test_form_upload_of_a_client_that_disconnects_or_stalls_ends_with_an_error() -> None:
    found = upload(Request(MODEL, FILE, announced=500))
    await found.head()
    with pytest.raises(ClientGoneError):
        await rest(found)
    silent = upload(Request(MODEL, FILE, announced=500, silent=True), timeout_s=0.01)
    await silent.head()
    with pytest.raises(RefusedError) as raised:
        await rest(silent)
    assert raised.value.code is Code.REQUEST_TIMEOUT


async def test_form_upload_without_its_end_is_refused_at_the_last_bytes() -> None:
    found = upload(Request(MODEL, FILE, b"y" * 10))
    await found.head()
    with pytest.raises(RefusedError):
        await rest(found)


@pytest.mark.parametrize("request_", [Request(MODEL, announced=20_000), Request(MODEL, b"x" * 20_000, announced=None)])
async def test_form_upload_above_the_size_limit_is_refused(request_: Request) -> None:
    with pytest.raises(RefusedError) as raised:
        await upload(request_).head()
    assert raised.value.code is Code.BODY_TOO_LARGE


async def test_form_upload_with_another_content_type_or_boundary_is_refused() -> None:
    with pytest.raises(RefusedError):
        await upload(Request(b"{}", **{"Content-Type": "application/json"})).head()
    with pytest.raises(RefusedError):
        await upload(Request(MODEL, **{"Content-Type": "multipart/form-data; boundary=other"})).head()
