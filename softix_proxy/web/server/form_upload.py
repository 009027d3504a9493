"""Reads a form up to its first file.

The bytes of the file then go on to the provider as they come, and nowhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

from aiohttp import web

from softix_proxy.dialects.request.fields import invalid
from softix_proxy.dialects.request.multipart import MultipartForm, boundary_of
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.request_body import BodyPieces, announced_bytes, told, too_large


class FormUpload:
    """The rest of a form after its `head`. It implements `domain.ports.upstream.BodyRemainder`."""

    def __init__(
        self,
        request: web.BaseRequest,
        watched: frozenset[str],
        limit_bytes: int,
        timeout_s: float,
        decides: str = "model",
    ) -> None:
        """Prepares the reading. `decides` names the text that determines the target.

        If it comes after the files, there is no target before all of them are here.
        """
        self._request = request
        self._watched = watched
        self._decides = decides
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s
        self._form: MultipartForm | None = None
        self._pieces: BodyPieces | None = None
        self.size_bytes = 0

    async def head(self) -> bytes:
        """Returns the deciding texts and what came with them, or the whole form if its length is not announced.

        Raises the same errors as `request_body.read`, and RefusedError for anything that is not a plain form.
        """
        announced = announced_bytes(self._request, self._limit_bytes)
        form = self._form = MultipartForm(boundary_of(self._request.headers.get("Content-Type", "")), self._watched)
        pieces = self._pieces = BodyPieces(self._request, self._timeout_s)
        in_pieces = announced > 0 and not pieces.is_compressed
        body, size = BytesIO(), 0
        with told():
            while not (in_pieces and form.has_file and self._decides in form.texts):
                piece = await pieces.next()
                if not piece:
                    break
                size += len(piece)
                if size > self._limit_bytes:
                    raise too_large(self._limit_bytes)
                body.write(piece)
                form.feed(piece)
            else:
                self.size_bytes = announced - size
        form.close()
        whole = body.getvalue()
        if not self.size_bytes:
            _check_whole(form)
            form.keep(whole)  # a large form is parsed while it arrives, and never again in one turn of the loop
        return whole

    async def chunks(self) -> AsyncIterator[bytes]:
        form, pieces, left_bytes = self._form, self._pieces, self.size_bytes
        while left_bytes > 0 and form is not None and pieces is not None:
            with told():
                piece = await pieces.next()
            if not piece:
                raise ClientGoneError
            form.feed(piece)
            left_bytes -= len(piece)
            if left_bytes <= 0:
                _check_whole(form)
            yield piece


def _check_whole(form: MultipartForm) -> None:
    if not form.complete:
        raise invalid("The form ends before its last part does.")
