"""The path to which a person comes back. It is never another site, so that no link leads from here to elsewhere."""

from __future__ import annotations

import re
from urllib.parse import quote

HOME = "/"
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?-][A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500})?")
"""A path with a query, in the characters of RFC 3986. It does not begin with two slashes, and has no backslash, which
browsers read as a slash."""
_NOWHERE = ("/sign-in", "/sign-out", "/register", "/reset", "/verify", "/static", "/oidc")
"""The beginnings of paths to which nobody comes back."""


def safe_path(text: str | None) -> str:
    """Returns the path if it is one of the portal, and the first page otherwise."""
    if text is None or _PATH.fullmatch(text) is None or text.startswith(_NOWHERE):
        return HOME
    return text


def is_own_path(location: str) -> bool:
    return _PATH.fullmatch(location) is not None


def with_return(page: str, path: str) -> str:
    """Returns the address of a page that leads to `path` afterwards."""
    back = safe_path(path)
    return page if back == HOME else f"{page}?next={quote(back, safe='')}"
