"""Shares the room for connections among the clients' networks.

Whoever wants may use nearly all of it. Once there is none left, the network with the most connections gives up one that
is idle, so that a client with thousands of them keeps nobody out (docs/decisions/0026).

Which one is idle the longest is found as in the CLOCK algorithm of operating systems: a connection that was used since
the last look gets a second chance. So a request costs nothing here.
"""

from __future__ import annotations

from typing import Protocol

MOST_HEADS = 256
"""The most heads of one network that may be incomplete at once. Nearly every client sends a head in one piece."""
_LOOKS = 64
"""The most connections of one network that are looked at to find an idle one."""
_NETWORKS = 8
"""The most networks that are looked at. With both, the time is bounded in which a client is refused."""


class SlotHolder(Protocol):
    """A connection as the table sees it."""

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        ...

    @property
    def requests_begun(self) -> int: ...

    def close_at_once(self) -> None:
        """Closes the connection at once."""
        ...


class NetworkShare:
    """The connections of one network."""

    __slots__ = ("heads", "is_limited", "network", "slots")

    def __init__(self, network: str, *, is_limited: bool) -> None:
        """`is_limited` says whether they are those of one client. A trusted proxy has those of many."""
        self.network = network
        self.is_limited = is_limited
        self.slots: dict[ConnectionSlot, None] = {}
        """Its connections. The first one was looked at, or came, the longest ago."""
        self.heads: dict[ConnectionSlot, None] = {}
        """Those of them on which a head has begun and is not complete."""

    @property
    def rank(self) -> int:
        """The number by which the network with the most is found. A trusted proxy comes last."""
        return len(self.slots) if self.is_limited else 0


class ConnectionSlot:
    """The place of one connection in the table."""

    __slots__ = ("_share", "_table", "holder", "requests_seen")

    def __init__(self, table: ConnectionTable, share: NetworkShare, holder: SlotHolder) -> None:
        self._table = table
        self._share = share
        self.holder = holder
        self.requests_seen = 0
        """The requests that had begun when it was looked at."""

    @property
    def is_open(self) -> bool:
        return self in self._share.slots

    def begin_head(self) -> None:
        """Says that a part of a head is here. Only so many may be incomplete at once; the oldest one is given up."""
        share = self._share
        if self.is_open:
            share.heads[self] = None
            if share.is_limited and len(share.heads) > MOST_HEADS:
                self._table.close(next(iter(share.heads)), share)

    def end_head(self) -> None:
        """Says that the head is complete."""
        self._share.heads.pop(self, None)

    def leave(self) -> None:
        """Says that the connection is gone. A second call does nothing."""
        self._table.remove(self, self._share)


class ConnectionTable:
    """All connections, by the networks that they come from. Every step takes a bounded time, however many there are."""

    def __init__(self, most: int, most_of_one: int) -> None:
        """Sets how many connections there may be, and how many of them one network may have."""
        self.most = most
        self.most_of_one = most_of_one
        self._count = 0
        self._shares: dict[str, NetworkShare] = {}
        self._by_rank: dict[int, dict[NetworkShare, None]] = {}
        self._highest_rank = 0

    def __len__(self) -> int:
        return self._count

    def admit(self, network: str, holder: SlotHolder, *, is_limited: bool = True) -> ConnectionSlot | None:
        """Returns the slot of a new connection, or None if there is no room and nobody can make any."""
        share = self._shares.get(network) or NetworkShare(network, is_limited=is_limited)
        if share.is_limited and len(share.slots) >= self.most_of_one and not self._close_idle(share):
            return None
        if self._count >= self.most and not self._make_room():
            return None
        slot = ConnectionSlot(self, share, holder)
        self._leave_rank(share)
        share.slots[slot] = None
        self._enter_rank(share)
        self._shares[network] = share
        self._count += 1
        return slot

    def remove(self, slot: ConnectionSlot, share: NetworkShare) -> None:
        if not slot.is_open:
            return
        self._leave_rank(share)
        del share.slots[slot]
        share.heads.pop(slot, None)
        self._count -= 1
        if share.slots:
            self._enter_rank(share)
        else:
            del self._shares[share.network]
        while self._highest_rank and self._highest_rank not in self._by_rank:  # one step, since counts change by one
            self._highest_rank -= 1

    def close(self, slot: ConnectionSlot, share: NetworkShare) -> None:
        self.remove(slot, share)
        slot.holder.close_at_once()

    def _leave_rank(self, share: NetworkShare) -> None:
        peers = self._by_rank.get(share.rank)
        if peers is not None:
            peers.pop(share, None)
            if not peers:
                del self._by_rank[share.rank]

    def _enter_rank(self, share: NetworkShare) -> None:
        self._by_rank.setdefault(share.rank, {})[share] = None
        self._highest_rank = max(self._highest_rank, share.rank)

    def _make_room(self) -> bool:
        """Closes an idle connection of the network that has the most, or of the next one if it has none."""
        left = _NETWORKS
        for rank in range(self._highest_rank, -1, -1):
            for share in self._by_rank.get(rank, ()):
                if self._close_idle(share):
                    return True
                left -= 1
                if not left:
                    return False
        return False

    def _close_idle(self, share: NetworkShare) -> bool:
        """Closes a connection that is idle, and was not used since the last look. If all were, the first idle one."""
        spared: ConnectionSlot | None = None
        for _ in range(min(len(share.slots), _LOOKS)):
            slot = next(iter(share.slots))
            if slot.holder.is_idle and slot.requests_seen == slot.holder.requests_begun:
                self.close(slot, share)
                return True
            if slot.holder.is_idle and spared is None:
                spared = slot
            slot.requests_seen = slot.holder.requests_begun
            del share.slots[slot]
            share.slots[slot] = None
        if spared is not None:
            self.close(spared, share)
        return spared is not None
