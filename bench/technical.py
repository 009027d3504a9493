"""What it costs a request that softix counts from where and with what its key is used."""

from __future__ import annotations

import gc
import time
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from softix_proxy.relay.core.seen_clients import SeenClients
from softix_proxy.web.server.client_connection import tls_of

if TYPE_CHECKING:
    from aiohttp import web

    from bench.proxies import Stand
    from bench.rows import Cell, Options

_ROUNDS = 15
_REQUESTS = 40_000
_BAR_US = 2.0
_AGENT = "OpenAI/Python 1.54.0"


def _round(seen: SeenClients | None, addresses: int) -> float:
    """Returns the CPU of a request in µs. Each brings texts of its own, as one from a socket does."""
    texts = [(f"10.0.{at // 250}.{at % 250}", f"{_AGENT} {at % 3}") for at in range(addresses)]
    request = cast("web.BaseRequest", SimpleNamespace(protocol=None))
    began_ns = time.process_time_ns()
    for at in range(_REQUESTS):
        address, agent = texts[at % addresses]
        address, agent = f"{address}", f"{agent[:18]}{agent[18:]}"  # without a hash that is known already
        if seen is not None:
            named = {"user-agent": agent}
            seen.note(at % 7, address, named.get("user-agent", ""), tls_of(request), at)
    return (time.process_time_ns() - began_ns) / _REQUESTS / 1000


def technical(stand: Stand, options: Options) -> list[Cell]:
    """CPU of a request with and without the count of addresses and programs, in alternating rounds."""
    from bench.rows import Cell

    cells: list[Cell] = []
    for what, addresses in (("one address", 1), ("100 addresses", 100), ("a flood: 5,000 addresses", 5_000)):
        without, with_it = list[float](), list[float]()
        gc.disable()
        for _ in range(_ROUNDS):
            without.append(_round(None, addresses))
            with_it.append(_round(SeenClients(), addresses))
        gc.enable()
        added = median(with_it) - median(without)
        cells.append(
            Cell(
                f"added to a request, {what}",
                f"{added:.2f} µs ({median(with_it):.2f} with, {median(without):.2f} without)",
                f"≤ {_BAR_US:g} µs",
                added <= _BAR_US,
            )
        )
    return cells
