from __future__ import annotations

import pytest

from softix_proxy.web.server.connection_table import MOST_HEADS, ConnectionSlot, ConnectionTable


class Guest:
    """A connection. Its network is the first letter of its name."""

    def __init__(self, hall: Hall, name: str) -> None:
        self.hall, self.name = hall, name
        self.is_idle = True
        self.requests_begun = 0
        self.slot: ConnectionSlot | None = None

    def close_at_once(self) -> None:
        self.hall.closed.append(self.name)

    def ask(self) -> Guest:
        self.is_idle = False
        self.requests_begun += 1
        return self

    def get(self) -> Guest:
        self.is_idle = True
        return self

    def leave(self) -> None:
        assert self.slot is not None
        self.slot.leave()


class Hall:
    """A table, and which of its connections it closed."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.table = ConnectionTable(most, most_of_one)
        self.closed: list[str] = []

    def enter(self, name: str, *, limited: bool = True) -> Guest | None:
        guest = Guest(self, name)
        guest.slot = self.table.admit(name[0], guest, is_limited=limited)
        return None if guest.slot is None else guest

    def enter_all(self, *names: str) -> list[Guest]:
        guests = [self.enter(name) for name in names]
        assert all(guests)
        return [guest for guest in guests if guest is not None]


def test_full_table_closes_the_oldest_idle_connection_of_the_network_with_the_most() -> None:
    hall = Hall(5, 5)
    hall.enter_all("b1", "a1", "a2", "a3", "c1")
    assert hall.enter("d1") is not None and hall.closed == ["a1"]
    assert hall.enter("d2") is not None and hall.closed == ["a1", "a2"], "two of a and two of d would be left"
    assert len(hall.table) == 5


def test_full_table_never_closes_a_connection_with_a_request() -> None:
    hall = Hall(3, 3)
    first, second, third = hall.enter_all("a1", "a2", "b1")
    first.ask()
    second.ask()
    assert hall.enter("c1") is not None and hall.closed == ["b1"]
    third.leave()  # it is gone already
    assert len(hall.table) == 3
    hall.closed.clear()
    first.get()
    assert hall.enter("c2") is not None and hall.closed == ["a1"]


def test_full_table_without_an_idle_connection_refuses() -> None:
    hall = Hall(2, 2)
    guests = hall.enter_all("a1", "b1")
    for guest in guests:
        guest.ask()
    assert hall.enter("c1") is None and hall.closed == [] and len(hall.table) == 2
    guests[0].leave()
    assert hall.enter("c1") is not None


def test_network_at_its_share_makes_room_for_itself_only() -> None:
    hall = Hall(10, 2)
    hall.enter_all("b1", "a1", "a2")
    assert hall.enter("a3") is not None and hall.closed == ["a1"]
    for guest in hall.enter_all("c1", "c2"):
        guest.ask()
    assert hall.enter("c3") is None and hall.closed == ["a1"], "others have idle ones, and keep them"


def test_connection_that_was_used_gets_a_second_chance() -> None:
    hall = Hall(3, 3)
    first, _, _ = hall.enter_all("a1", "a2", "a3")
    first.ask().get()
    assert hall.enter("a4") is not None and hall.closed == ["a2"]
    assert hall.enter("a5") is not None and hall.closed == ["a2", "a3"]
    assert hall.enter("a6") is not None and hall.closed == ["a2", "a3", "a1"], "nobody has used it since"


def test_one_is_closed_even_if_all_were_used() -> None:
    hall = Hall(2, 2)
    for guest in hall.enter_all("a1", "a2"):
        guest.ask().get()
    assert hall.enter("b1") is not None and hall.closed == ["a1"]


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


def test_idle_connection_behind_many_busy_ones_is_found_within_a_few_attempts() -> None:
    hall = Hall(300, 300)
    for guest in hall.enter_all(*(f"a{number}" for number in range(299))):
        guest.ask()
    hall.enter_all("a-idle")
    attempts = 1
    while hall.enter("b") is None:
        attempts += 1
        assert attempts <= 5
    assert hall.closed == ["a-idle"]


@pytest.mark.parametrize("networks", [1, 7, 64])
def test_table_after_all_have_left_is_empty(networks: int) -> None:
    hall = Hall(64, 64)
    for guest in [hall.enter(chr(ord("a") + number % networks)) for number in range(64)]:
        assert guest is not None
        guest.leave()
        guest.leave()
    assert len(hall.table) == 0 and not hall.table._shares and not hall.table._by_rank
    assert hall.table._highest_rank == 0


def slot_of(guest: Guest | None) -> ConnectionSlot:
    assert guest is not None and guest.slot is not None
    return guest.slot


def test_network_with_too_many_unfinished_heads_gives_up_the_oldest() -> None:
    hall = Hall(2000, 2000)
    slots = [slot_of(guest) for guest in hall.enter_all(*(f"a{number}" for number in range(MOST_HEADS + 3)))]
    slots[0].begin_head()
    slots[0].end_head()
    for slot in slots[1 : MOST_HEADS + 1]:
        slot.begin_head()
        slot.begin_head()
    assert hall.closed == []
    slots[MOST_HEADS + 1].begin_head()
    assert hall.closed == ["a1"] and not slots[1].is_open
    slots[1].begin_head()
    assert hall.closed == ["a1"], "what is closed counts no more"
    for number in range(MOST_HEADS + 1):
        slot_of(hall.enter(f"p{number}", limited=False)).begin_head()
    assert hall.closed == ["a1"]
