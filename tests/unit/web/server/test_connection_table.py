from __future__ import annotations

from collections.abc import Callable

import pytest

from softix_proxy.web.server.connection_table import MOST_HEADS, ConnectionSlot, ConnectionTable


class Hall:
    """A table, and which of its connections it closed."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.table = ConnectionTable(most, most_of_one)
        self.closed: list[str] = []

    def enter(self, name: str, *, limited: bool = True) -> ConnectionSlot | None:
        """`a1` is a connection of the network `a`."""
        return self.table.admit(name[0], self._close(name), is_limited=limited)

    def _close(self, name: str) -> Callable[[], None]:
        return lambda: self.closed.append(name)

    def enter_all(self, *names: str) -> list[ConnectionSlot]:
        slots = [self.enter(name) for name in names]
        assert all(slots)
        return [slot for slot in slots if slot is not None]


def test_full_table_closes_the_oldest_idle_connection_of_the_network_with_the_most() -> None:
    hall = Hall(5, 5)
    hall.enter_all("b1", "a1", "a2", "a3", "c1")
    assert hall.enter("d1") is not None and hall.closed == ["a1"]
    assert hall.enter("d2") is not None and hall.closed == ["a1", "a2"], "two of a and two of d would be left"
    assert len(hall.table) == 5


def test_full_table_never_closes_a_connection_with_a_request() -> None:
    hall = Hall(3, 3)
    first, second, third = hall.enter_all("a1", "a2", "b1")
    first.busy()
    second.busy()
    assert hall.enter("c1") is not None and hall.closed == ["b1"]
    third.leave()  # it is gone already
    assert len(hall.table) == 3
    hall.closed.clear()
    first.idle()
    assert hall.enter("c2") is not None and hall.closed == ["a1"]


def test_full_table_without_an_idle_connection_refuses() -> None:
    hall = Hall(2, 2)
    slots = hall.enter_all("a1", "b1")
    for slot in slots:
        slot.busy()
    assert hall.enter("c1") is None and hall.closed == [] and len(hall.table) == 2
    slots[0].leave()
    assert hall.enter("c1") is not None


def test_network_at_its_share_makes_room_for_itself_only() -> None:
    hall = Hall(10, 2)
    hall.enter_all("b1", "a1", "a2")
    assert hall.enter("a3") is not None and hall.closed == ["a1"]
    for slot in hall.enter_all("c1", "c2"):
        slot.busy()
    assert hall.enter("c3") is None and hall.closed == ["a1"], "others have idle ones, and keep them"


def test_connection_that_is_used_again_is_idle_from_then_on() -> None:
    hall = Hall(3, 3)
    first, _, _ = hall.enter_all("a1", "a2", "a3")
    first.busy()
    first.idle()
    assert hall.enter("a4") is not None and hall.closed == ["a2"]


def test_trusted_proxy_is_not_limited_as_one_client() -> None:
    hall = Hall(6, 2)
    for number in range(4):
        assert hall.enter(f"p{number}", limited=False) is not None
    hall.enter_all("a1", "a2")
    assert hall.enter("b1") is not None and hall.closed == ["a1"], "the proxy has more, but for many"
    assert hall.enter("p5", limited=False) is not None and hall.closed == ["a1", "a2"]


def test_flood_of_idle_connections_leaves_room_for_everybody_else() -> None:
    hall = Hall(64, 60)
    attack = [hall.enter(f"a{number}") for number in range(4150)]
    assert all(attack) and len(hall.table) == 60
    paying = [hall.enter(name) for name in "bcdefghijk"]
    assert all(paying) and len(hall.table) == 64
    assert [name for name in hall.closed if name[0] != "a"] == []


@pytest.mark.parametrize("networks", [1, 7, 64])
def test_table_after_all_have_left_is_empty(networks: int) -> None:
    hall = Hall(64, 64)
    slots = [hall.enter(chr(ord("a") + number % networks)) for number in range(64)]
    for slot in slots:
        assert slot is not None
        slot.leave()
        slot.leave()
        slot.idle()
    assert len(hall.table) == 0 and not hall.table._shares and not hall.table._by_rank
    assert hall.table._highest_rank == 0


def test_network_with_too_many_unfinished_heads_gives_up_the_oldest() -> None:
    hall = Hall(2000, 2000)
    slots = hall.enter_all(*(f"a{number}" for number in range(MOST_HEADS + 3)))
    slots[0].begin_head()
    slots[0].busy()  # its head is complete
    for slot in slots[1 : MOST_HEADS + 1]:
        slot.begin_head()
        slot.begin_head()
    assert hall.closed == []
    slots[MOST_HEADS + 1].begin_head()
    assert hall.closed == ["a1"] and not slots[1].is_open
    slots[1].begin_head()
    assert hall.closed == ["a1"], "what is closed counts no more"
    proxy = [hall.enter(f"p{number}", limited=False) for number in range(MOST_HEADS + 1)]
    for entered in proxy:
        assert entered is not None
        entered.begin_head()
    assert hall.closed == ["a1"]
