"""A program at the address of the portal, for the doctor to ask."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.upstream import Fetched


class Listener:
    """Answers with this body, or not at all."""

    def __init__(self, body: bytes | None = b'{"status":"ok"}') -> None:
        self.asked: list[str] = []
        self._body = body

    async def __call__(self, url: str, headers: Mapping[str, str], document: None) -> Fetched:
        self.asked.append(url)
        if self._body is None:
            raise FailureError("x")
        return Fetched(200, self._body)
