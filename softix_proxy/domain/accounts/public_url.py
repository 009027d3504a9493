"""The public URL of the portal: the only source of links, and the only host name that is served."""

from __future__ import annotations

import re
from dataclasses import dataclass

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.loopback import is_loopback

_URL = re.compile(r"(https?)://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOST_PORT = 65_535
_LINK = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_LONGEST_LINK = 500


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """An address without a path: its scheme, its host in lower case, and its port."""

    scheme: str
    host: str
    """The name or the address. An address of IPv6 is in brackets."""
    port: int

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def authority(self) -> str:
        """The text of the Host header that browsers send: the host, and the port if it is not that of the scheme."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The text of the Origin header that browsers send (RFC 6454, section 6.2). Links begin with it."""
        return f"{self.scheme}://{self.authority}"

    def is_named_by(self, host: str | None) -> bool:
        """Returns whether a Host header names this address. The default port may be written out."""
        return host is not None and host.lower() in (self.authority, f"{self.host}:{self.port}")


def parse_public_url(text: str) -> PublicUrl:
    """Parses a public URL. Raises BadInputError if it is none, or if it is plain http and not this machine.

    Browsers keep a cookie named `__Host-…` over plain http for localhost and loopback addresses only. On any other
    host they drop it without a word, so nobody could sign in.
    """
    url = _site(text)
    if url is None:
        raise BadInputError(
            f"portal.public_url is not the address of a site: {text!r}",
            "write the scheme and the host, and no path: https://portal.example.org",
        )
    if not url.is_https and not url.is_loopback:
        raise BadInputError(
            f"portal.public_url is plain http: {text!r}",
            "write https://, and put a proxy with a certificate in front (docs/portal.md)",
        )
    return url


def checked_api_url(text: str) -> str:
    """Returns the address. Raises ValueError if it is no address of a site. Plain http is for networks of one's own."""
    if _site(text) is None:
        raise ValueError("not the address of a site")
    return text


def contact_uri(text: str) -> str:
    """Returns the URI of an e-mail address or of an https address, for a link. Raises ValueError for anything else."""
    return f"mailto:{text}" if is_email(text) else checked_policy_url(text)


def _site(text: str) -> PublicUrl | None:
    found = _URL.fullmatch(text)
    port = int(found[3] or _DEFAULT_PORTS[found[1]]) if found else 0
    return PublicUrl(found[1], found[2].lower(), port) if found and 0 < port <= _MOST_PORT else None


def checked_policy_url(text: str) -> str:
    """Returns the address of a published text. Raises BadInputError if it is none over TLS."""
    if len(text) > _LONGEST_LINK or _LINK.fullmatch(text) is None:
        raise BadInputError("not an https:// address", "write the whole address of the published text")
    return text
