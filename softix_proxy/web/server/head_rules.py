"""The rules for a request's head that aiohttp's parser does not enforce. This is the only place that has them.

A front proxy and softix must never read one head in two ways. So what is ambiguous is refused, even if there is an
obvious meaning (RFC 9112, sections 2.3, 3, 3.2 and 6.1; RFC 9110, sections 4.2.1 and 7.2).
"""

from __future__ import annotations

import re
from functools import lru_cache

from aiohttp import hdrs

from softix_proxy.web.server.aiohttp_internals import HeadRefusedError, HttpVersion10, HttpVersion11, RequestHead

_MOST_PORT = 65_535
_LONGEST_HOST = 255 + len(":65535")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
"""A name as DNS has them, or an address, and a port. Compose and Kubernetes make names with an underscore."""
_USUAL_PATH = 256
"""The length from which no prepared line is kept for a path, so that they take a bounded memory."""
_ORIGIN = re.compile(r"https?://([^/?#]+)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)


def check(head: RequestHead, raw: bytes, start: int) -> None:
    """Raises HeadRefusedError if the head breaks a rule.

    `raw` has the bytes of its request line from `start` on, perhaps after empty lines, or anywhere if that is -1.
    """
    version, path = head.version, head.path
    if version is not HttpVersion11 and version is not HttpVersion10:
        raise HeadRefusedError("Only HTTP/1.1 and HTTP/1.0 are spoken here.", 505)
    line = (_usual_line if len(path) < _USUAL_PATH else _line)(head.method, path, version is HttpVersion11)
    if not (raw.startswith(line, start) if start >= 0 else line in raw) and not _follows_empty_lines(line, raw, start):
        raise HeadRefusedError("The request line has more than one space between its parts.")
    headers = head.headers
    host = headers.get(hdrs.HOST)
    if host is not None and (len(host) > _LONGEST_HOST or not _is_host(host)):
        raise HeadRefusedError("The Host header is not a host's name or address with an optional port.")
    if head.chunked:  # the parser refuses any other coding if `chunked` is not the last one
        if version is HttpVersion10:
            raise HeadRefusedError("HTTP/1.0 has no Transfer-Encoding. Send a Content-Length.")
        if headers[hdrs.TRANSFER_ENCODING].lower() != "chunked":
            raise HeadRefusedError("The only Transfer-Encoding here is `chunked`, alone.")
    if path[0] != "/":
        _check_target(head, host)


def _line(method: str, path: str, is_newer: bool) -> bytes:
    return f"{method} {path} HTTP/1.{is_newer:d}\r\n".encode("utf-8", "surrogateescape")


_usual_line = lru_cache(1024)(_line)


def _follows_empty_lines(line: bytes, raw: bytes, start: int) -> bool:
    """Returns whether only empty lines are before the request line. RFC 9112, section 2.2, has servers skip them."""
    return start >= 0 and raw[start:].lstrip(b"\r\n").startswith(line)


@lru_cache(1024)
def _is_host(host: str) -> bool:
    found = _HOST.fullmatch(host)
    return found is not None and int(found[1] or 0) <= _MOST_PORT


def _check_target(head: RequestHead, host: str | None) -> None:
    """Checks a target that is no path: a whole URL must be of the host that the header names."""
    if head.path == "*" and head.method == "OPTIONS":
        return
    found = _ORIGIN.fullmatch(head.path)
    if found is None:
        raise HeadRefusedError("The request's target is neither a path nor a URL. softix is no forward proxy.")
    if host is None or found[1].lower() != host.lower():
        raise HeadRefusedError("The request's URL and its Host header name different hosts.")
