"""Counts in memory what the rules need of requests that leave no row, and what they found, for the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_MOST = 10_000
"""The keys and networks that are counted between two looks. What is beyond is in no count."""


class AbuseTally:
    """The requests that this process refused since the last look, and the alerts that it raised since its start."""

    def __init__(self) -> None:
        self.alerts: Counter[str] = Counter()
        """Rule → alerts."""
        self._keys: Counter[int] = Counter()
        self._networks: Counter[str] = Counter()

    def refused(self, key_id: int) -> None:
        """Counts a request of a known key that softix refused."""
        if key_id in self._keys or len(self._keys) < _MOST:
            self._keys[key_id] += 1

    def guessed(self, network: str) -> None:
        """Counts a key that is not valid."""
        if network in self._networks or len(self._networks) < _MOST:
            self._networks[network] += 1

    def drain(self) -> tuple[Mapping[int, int], Mapping[str, int]]:
        """Returns the counts by key and by network, and begins anew."""
        drained = self._keys, self._networks
        self._keys, self._networks = Counter(), Counter()
        return drained
