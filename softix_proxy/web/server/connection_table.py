"""Shares the room for connections among the clients' networks.

Whoever wants may use nearly all of it. Once there is none left, the network with the most connections gives up the one
that is idle the longest, so that a client with thousands of them keeps nobody out (docs/decisions/0026).
"""

from __future__ import annotations

from collections.abc import Callable

MOST_HEADS = 256
"""The most heads of one network that may be incomplete at once. Nearly every client sends a head in one piece."""


class NetworkShare:
    """The connections of one network."""

    __slots__ = ("count", "heads", "idle", "is_limited", "network")

    def __init__(self, network: str, *, is_limited: bool) -> None:
        """`is_limited` says whether they are those of one client. A trusted proxy has those of many."""
        self.network = network
        self.is_limited = is_limited
        self.count = 0
        self.idle: dict[ConnectionSlot, None] = {}
        """Its connections on which no request is being answered. The first one is idle the longest."""
        self.heads: dict[ConnectionSlot, None] = {}
        """Those of them on which a head has begun and is not complete."""

    @property
    def rank(self) -> int:
        """The number by which the network with the most is found. A trusted proxy comes last."""
        return self.count if self.is_limited else 0


class ConnectionSlot:
    """The place of one connection in the table."""

    __slots__ = ("_share", "_table", "close")

    def __init__(self, table: ConnectionTable, share: NetworkShare, close: Callable[[], None]) -> None:
        self._table = table
        self._share = share
        self.close = close
        """The function that closes the connection while it is idle."""

    @property
    def is_open(self) -> bool:
        return self._table.has(self)

    def busy(self) -> None:
        """Says that a request is being answered, so that the connection stays."""
        share = self._share
        share.idle.pop(self, None)
        if share.heads:
            share.heads.pop(self, None)

    def begin_head(self) -> None:
        """Says that a part of a head is here. Only so many may be incomplete at once; the oldest one is given up."""
        share = self._share
        if not self.is_open:
            return
        share.heads[self] = None
        if share.is_limited and len(share.heads) > MOST_HEADS:
            self._table.close(next(iter(share.heads)), share)

    def idle(self) -> None:
        """Says that no request is being answered."""
        if self.is_open:
            self._share.idle[self] = None

    def leave(self) -> None:
        """Says that the connection is gone. A second call does nothing."""
        self._table.remove(self, self._share)


class ConnectionTable:
    """All connections, by the networks that they come from. Every step takes the same time, however many there are."""

    def __init__(self, most: int, most_of_one: int) -> None:
        """Sets how many connections there may be, and how many of them one network may have."""
        self.most = most
        self.most_of_one = most_of_one
        self._slots: set[ConnectionSlot] = set()
        self._shares: dict[str, NetworkShare] = {}
        self._by_rank: dict[int, dict[NetworkShare, None]] = {}
        self._highest_rank = 0

    def __len__(self) -> int:
        return len(self._slots)

    def has(self, slot: ConnectionSlot) -> bool:
        return slot in self._slots

    def admit(self, network: str, close: Callable[[], None], *, is_limited: bool = True) -> ConnectionSlot | None:
        """Returns the slot of a new connection, or None if there is no room and nobody can make any.

        The connection is idle at first. `close` is called if it has to make room while it is idle.
        """
        share = self._shares.get(network) or NetworkShare(network, is_limited=is_limited)
        if share.is_limited and share.count >= self.most_of_one and not self._close_oldest(share):
            return None
        if len(self._slots) >= self.most and not self._make_room():
            return None
        slot = ConnectionSlot(self, share, close)
        self._slots.add(slot)
        self._shares[network] = share
        share.idle[slot] = None
        self._count(share, 1)
        return slot

    def remove(self, slot: ConnectionSlot, share: NetworkShare) -> None:
        if slot in self._slots:
            self._slots.remove(slot)
            share.idle.pop(slot, None)
            share.heads.pop(slot, None)
            self._count(share, -1)
            if not share.count:
                del self._shares[share.network]

    def close(self, slot: ConnectionSlot, share: NetworkShare) -> None:
        self.remove(slot, share)
        slot.close()

    def _count(self, share: NetworkShare, change: int) -> None:
        peers = self._by_rank.get(share.rank, {})
        peers.pop(share, None)
        if not peers:
            self._by_rank.pop(share.rank, None)
        share.count += change
        if share.count:
            self._by_rank.setdefault(share.rank, {})[share] = None
        self._highest_rank = max(self._highest_rank, share.rank)
        while self._highest_rank and self._highest_rank not in self._by_rank:  # one step, since counts change by one
            self._highest_rank -= 1

    def _make_room(self) -> bool:
        """Closes an idle connection of the network that has the most, of those that have an idle one."""
        for rank in range(self._highest_rank, -1, -1):
            for share in self._by_rank.get(rank, ()):
                if share.idle:
                    return self._close_oldest(share)
        return False

    def _close_oldest(self, share: NetworkShare) -> bool:
        slot = next(iter(share.idle), None)
        if slot is None:
            return False
        self.close(slot, share)
        return True
