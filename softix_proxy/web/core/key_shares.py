"""The share of each API key in the requests that are in work, so that no key takes the room of all others."""

from __future__ import annotations

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.instance.sections import ServerSection

_TOO_MANY = "This API key has as many requests in work as one key may have here. Try again when some have ended."


class KeyShares:
    """Counts the requests in work by what the client gave as its key, valid or not."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: dict[str, int] = {}

    @classmethod
    def of(cls, server: ServerSection) -> KeyShares:
        return cls(_most(server))

    def take(self, server: ServerSection) -> None:
        self.most = _most(server)

    def check(self, credential: str | None) -> None:
        """Raises RefusedError if the key has its share already."""
        if self._counts.get(credential or "", 0) >= self.most:
            raise RefusedError(Code.CONCURRENCY_LIMITED, _TOO_MANY, retry_after_s=1)

    def enter(self, credential: str | None) -> None:
        name = credential or ""
        self._counts[name] = self._counts.get(name, 0) + 1

    def leave(self, credential: str | None) -> None:
        name = credential or ""
        count = self._counts.pop(name) - 1
        if count:
            self._counts[name] = count


def _most(server: ServerSection) -> int:
    """Returns the share of one key. As many requests can be in work as clients can be connected."""
    return open_files.share(open_files.connections(server.max_connections), server.max_requests_per_key)
