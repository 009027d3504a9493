"""Decides whether a form comes from a page of the portal, by what the browser itself says of it.

Browsers send `Sec-Fetch-Site` to every address over TLS and to loopback (W3C, Fetch Metadata Request Headers), and no
page can set it. Older ones send `Origin` with a POST (RFC 6454). A request with neither is refused: it comes from no
browser that a person would sign in with.
"""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.accounts.public_url import PublicUrl

_OWN_SITES = frozenset(("same-origin", "none"))
"""`none` is what a person did by hand, such as to load a form's answer again."""


def is_own_form(headers: Mapping[str, str], url: PublicUrl) -> bool:
    """Returns whether a request that changes something may do so. Names of headers are in lower case."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in _OWN_SITES
    return headers.get("origin") == url.origin
