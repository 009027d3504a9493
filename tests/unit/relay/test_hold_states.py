"""The whole table: each event in each state, against a hold that was brought there by events."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

import pytest
from support.holds import REFUSED, Meter, answer, make_hold
from support.playbook import Journal

from softix_proxy.domain.errors import Code
from softix_proxy.domain.upstream import ProviderFault
from softix_proxy.relay.hold_states import NOT_STARTED, TRANSITIONS, Event, IllegalTransitionError, State
from softix_proxy.relay.settle import Hold

FIRE: dict[Event, Callable[[Hold], Awaitable[Any] | None]] = {
    Event.ROUTED: lambda hold: hold.routed(hold.target),
    Event.CONNECTED: lambda hold: hold.connected(101),
    Event.DISPATCHED: lambda hold: hold.dispatched(),
    Event.STARTED: lambda hold: hold.started(),
    Event.WITHHELD: lambda hold: hold.withheld(Code.PROVIDER_BUSY),
    Event.HEAD: lambda hold: hold.head(200),
    Event.STREAM: lambda hold: hold.streaming(Meter()),
    Event.CHUNK: lambda hold: hold.chunk(),
    Event.BODY: lambda hold: hold.body(),
    Event.COMPLETED: lambda hold: hold.completed(answer()),
    Event.REFUSED: lambda hold: hold.completed(REFUSED),
    Event.FAILED: lambda hold: hold.failed(ProviderFault(Code.PROVIDER_TIMEOUT, started=True)),
    Event.FAILED_UNSEEN: lambda hold: hold.failed(ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)),
    Event.CLIENT_LEFT: lambda hold: hold.client_left(),
    Event.CUT_SHORT: lambda hold: hold.cut_short(Code.SHUTTING_DOWN),
    Event.ESTIMATED: lambda hold: hold.estimated({"output_tokens": 1}),
    Event.TAKEN_BACK: lambda hold: hold.taken_back(),
    Event.RETRIED: lambda hold: hold.retried(hold.target),
    Event.SETTLED: lambda hold: hold.settle(),
}
COLUMNS = "PENDING SENT ANSWERING STREAMING COMPLETED REFUSED UNREACHED BROKEN SETTLED"
FOLLOWING = """
ROUTED        PENDING   -         -         -         -         -         -         -         -
CONNECTED     PENDING   -         -         -         -         -         -         -         -
DISPATCHED    PENDING   -         -         -         -         -         -         -         -
STARTED       SENT      SENT      -         -         -         -         -         -         -
WITHHELD      UNREACHED UNREACHED -         -         -         -         -         -         -
HEAD          -         ANSWERING -         -         -         -         -         -         -
STREAM        -         -         STREAMING -         -         -         -         -         -
CHUNK         -         -         -         STREAMING -         -         -         BROKEN    SETTLED
BODY          -         -         ANSWERING -         -         -         -         -         -
COMPLETED     -         -         COMPLETED COMPLETED -         -         -         COMPLETED -
REFUSED       -         -         REFUSED   REFUSED   -         -         -         REFUSED   -
FAILED        BROKEN    BROKEN    BROKEN    BROKEN    COMPLETED REFUSED   -         BROKEN    SETTLED
FAILED_UNSEEN UNREACHED UNREACHED BROKEN    BROKEN    COMPLETED REFUSED   -         BROKEN    SETTLED
CLIENT_LEFT   PENDING   SENT      ANSWERING STREAMING COMPLETED REFUSED   UNREACHED BROKEN    SETTLED
CUT_SHORT     PENDING   SENT      ANSWERING STREAMING COMPLETED REFUSED   UNREACHED BROKEN    SETTLED
ESTIMATED     -         -         -         STREAMING COMPLETED REFUSED   -         BROKEN    SETTLED
TAKEN_BACK    -         -         -         PENDING   -         -         -         PENDING   -
RETRIED       -         -         -         -         PENDING   PENDING   PENDING   PENDING   -
SETTLED       SETTLED   SETTLED   SETTLED   SETTLED   SETTLED   SETTLED   SETTLED   SETTLED   -
"""
"""What follows when an event (the line) happens in a state (the column); a dash where it cannot happen."""
WANTED = {
    (State[state], Event[event]): None if following == "-" else State[following]
    for event, *row in map(str.split, FOLLOWING.strip().splitlines())
    for state, following in zip(COLUMNS.split(), row, strict=True)
}


async def fire(hold: Hold, event: Event) -> None:
    waited = FIRE[event](hold)
    if waited is not None:
        await waited


def way_to(state: State) -> list[Event]:
    """The fewest events that lead there."""
    ways: dict[State, list[Event]] = {State.PENDING: []}
    waiting = deque(ways)
    while waiting:
        here = waiting.popleft()
        for event, there in TRANSITIONS[here].items():
            if there not in ways:
                ways[there] = [*ways[here], event]
                waiting.append(there)
    return ways[state]


async def brought_to(state: State) -> Hold:
    hold = make_hold(Journal())
    for event in way_to(state):
        await fire(hold, event)
    return hold


def what_is_known(hold: Hold) -> dict[str, Any]:
    kept = {each.name: getattr(hold, each.name) for each in fields(hold) if each.name not in ("journal", "clock")}
    return {**kept, "failed_attempts": list(hold.failed_attempts)}


def test_table_lists_every_state_and_every_event() -> None:
    assert set(TRANSITIONS) == set(State) == {state for state, _ in WANTED}
    assert set(FIRE) == set(Event) == {event for _, event in WANTED}
    assert len(WANTED) == len(State) * len(Event)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
async def test_hold_in_each_state_follows_the_table_or_refuses(state: State, event: Event) -> None:
    hold, following = await brought_to(state), WANTED[state, event]
    assert hold._state is state
    if following is None:
        before = what_is_known(hold)
        with pytest.raises(IllegalTransitionError, match=f"{state} cannot be {event}"):
            await fire(hold, event)
        assert what_is_known(hold) == before
    else:
        await fire(hold, event)
        assert hold._state is following


@pytest.mark.parametrize("state", State)
async def test_hold_in_each_state_is_settled_once_on_exit(state: State) -> None:
    hold = await brought_to(state)
    async with hold:
        pass
    assert isinstance(hold.journal, Journal)  # as it was made
    [settlement] = hold.journal.settlements
    assert hold.settlement is settlement
    with pytest.raises(IllegalTransitionError):
        await hold.settle()
    assert len(hold.journal.settlements) == 1


@pytest.mark.parametrize("state", set(State) - {State.SETTLED})
async def test_hold_not_started_is_charged_nothing(state: State) -> None:
    hold = await brought_to(state)
    hold.client_left()
    await hold.settle()
    assert hold.settlement is not None
    assert (hold.settlement.charge_pico == 0) == (state in NOT_STARTED | {State.REFUSED})


async def test_chunk_after_the_first_looks_nothing_up() -> None:
    """Each chunk of a stream comes here."""
    hold = await brought_to(State.STREAMING)
    hold.chunk()
    clock: Any = hold.clock
    before_ns = clock.ns
    for _ in range(9):
        hold.chunk()
    assert clock.ns == before_ns
