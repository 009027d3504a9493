"""Which hosts are this machine, so that nobody can read along on the way to them."""

from __future__ import annotations

from ipaddress import ip_address

_NAME = "localhost"
LOCAL_HOSTS = frozenset((_NAME, "127.0.0.1", "::1"))
"""The hosts to which a secret may go over plain http, as `urlsplit` writes them."""


def is_loopback(host: str) -> bool:
    """Returns whether a host is `localhost` or a loopback address. One of IPv6 may be in brackets."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == _NAME
