"""Decides who may read /metrics, which has the names of models and providers and the amounts spent.

At the port for all requests only this machine may read them, under one spelling of one path, and directly. A proxy in
front has this machine's address and speaks for anybody. So a request that may have come through a proxy is refused,
whatever the proxy reports about it. The listener for metrics serves the networks that the operator named.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from aiohttp import web

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.server.client_address import NetworkSet, end_of, is_this_machine

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_TOLD_BY_PROXIES = frozenset(
    (
        "client-ip",
        "forwarded",
        "proxy-connection",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-host",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-real-port",
        "x-rewrite-url",
        "x-scheme",
    )
)
_TOLD_BY_PROXIES_PREFIXES = (
    "cf-",
    "cloudfront-",
    "fastly-",
    "fly-",
    "x-amz",
    "x-appengine-",
    "x-arr-",
    "x-azure-",
    "x-envoy-",
    "x-forwarded",
    "x-original-",
    "x-proxy-",
)
_NO_PROXY_SPEAKS = (1, 1)
"""The lowest HTTP version of a direct request. Only nginx uses HTTP/1.0, unless it is configured otherwise."""
_THIS_MACHINE = frozenset(("localhost", "ip6-localhost", "localhost.localdomain"))
PATH = "/metrics"
_REFUSED = "Metrics are told to who asks softix itself, from one of server.metrics_networks, with no proxy in between."
_ELSEWHERE = "Metrics are told at server.metrics_port."
_THIS_MACHINE_ONLY = "At this port, metrics are told to this machine only. Set server.metrics_port for other networks."
log = logging.getLogger("softix.web")


class MetricsAccess:
    """The networks that may read the metrics."""

    def __init__(self, networks: Sequence[str] = _LOOPBACK, *, elsewhere: bool = False) -> None:
        """Sets the networks. `elsewhere` says that metrics have a listener of their own."""
        self._networks = NetworkSet(networks)
        self._elsewhere = elsewhere

    @classmethod
    def of(cls, section: ServerSection) -> MetricsAccess:
        _warn(section)
        return cls(section.metrics_networks, elsewhere=section.metrics_port is not None)

    def take(self, section: ServerSection) -> None:
        """Sets the networks for later requests at both listeners, which share this object."""
        _warn(section)
        self._networks = NetworkSet(section.metrics_networks)

    def admit(self, request: web.BaseRequest, named: Mapping[str, str]) -> None:
        """Admits a request at the listener for all requests. Raises RefusedError."""
        if self._elsewhere:
            raise RefusedError(Code.NOT_FOUND, _ELSEWHERE)
        if request.raw_path.partition("?")[0] != PATH:  # a proxy may hide this spelling, and no other one
            raise RefusedError(Code.NOT_FOUND, _REFUSED)
        peer, here = _ends(request)
        local = is_this_machine(peer, here)
        version = (request.version.major, request.version.minor)
        direct = version >= _NO_PROXY_SPEAKS and not told_by_proxy(named)
        if not direct or (local and not _is_own_name(named.get("host", ""), here)):
            raise RefusedError(Code.NOT_FOUND, _REFUSED)
        self._admit(peer, here)
        if not local:
            raise RefusedError(Code.NOT_FOUND, _THIS_MACHINE_ONLY)

    def admit_there(self, request: web.BaseRequest) -> None:
        """Admits a request at the listener for metrics. The operator decides who reaches it. Raises RefusedError."""
        self._admit(*_ends(request))

    def _admit(self, peer: str, here: str) -> None:
        """Admits a peer by its network.

        A peer with this machine's own address is local, even if it is not the loopback.
        """
        if not (self._networks.have(peer) or (is_this_machine(peer, here) and self._networks.have("127.0.0.1"))):
            raise RefusedError(Code.NOT_FOUND, _REFUSED)


def _warn(section: ServerSection) -> None:
    if section.metrics_are_unreachable:
        log.warning("metrics are told to this machine only: server.metrics_networks needs server.metrics_port")


def told_by_proxy(named: Mapping[str, str]) -> bool:
    """Returns whether any header is one that proxies add. The names are in lower case."""
    return not _TOLD_BY_PROXIES.isdisjoint(named) or any(name.startswith(_TOLD_BY_PROXIES_PREFIXES) for name in named)


def _is_own_name(host: str, here: str) -> bool:
    """Returns whether a client on this machine would use this name. A proxy often passes softix's public name."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.strip("[]").lower().rstrip(".")
    return not name or name in _THIS_MACHINE or is_this_machine(name, here)


def _ends(request: web.BaseRequest) -> tuple[str, str]:
    """Returns the addresses of the peer, and of softix as the peer reached it."""
    return end_of(request.transport, "peername"), end_of(request.transport, "sockname")
