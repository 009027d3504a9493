"""Slows down whoever tries API keys. It counts the failures of each network, and never a key that is valid."""

from __future__ import annotations

from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError

_MINUTE_US = 60 * SECOND_US
_MOST_NETWORKS = 10_000
"""The networks that are remembered. Beyond that, the one is forgotten that has failed the longest ago."""
_TOO_MANY = (
    "Too many invalid API keys came from your network address. A valid key still works; ask your administrator for one."
)


class KeyGuesses:
    """The failures of each network, as one instant each (GCRA): the one at which all of them are forgotten."""

    def __init__(self, per_minute: int = 30) -> None:
        self.per_minute = per_minute
        self._forgotten_us: dict[str, int] = {}

    def wait_us(self, address: str, now_us: int) -> int:
        """Returns for how long the failures of this address are answered with 429. `now_us` never goes back."""
        forgotten_us = self._forgotten_us.get(client_network(address), 0)
        return max(forgotten_us + _MINUTE_US // self.per_minute - now_us - _MINUTE_US, 0)

    def failed(self, address: str, now_us: int) -> None:
        """Counts a key that is not valid."""
        network = client_network(address)
        since_us = max(self._forgotten_us.pop(network, 0), now_us)
        if len(self._forgotten_us) >= _MOST_NETWORKS:
            del self._forgotten_us[next(iter(self._forgotten_us))]
        self._forgotten_us[network] = since_us + _MINUTE_US // self.per_minute


def too_many(wait_us: int) -> RefusedError:
    return RefusedError(Code.RATE_LIMITED, _TOO_MANY, wait_us / SECOND_US)
