"""The whole table: each event in each state, against a hold that was brought there by events."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, get_args

import pytest
from support.holds import REFUSED, Meter, answer, make_hold
from support.playbook import Journal

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.settlement.hold import Hold
from softix_proxy.relay.settlement.hold_states import NOT_STARTED, TRANSITIONS, Event, IllegalTransitionError, State

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)
FIRE: dict[Event, Callable[[Hold], Awaitable[Any] | None]] = {
    "routed": lambda hold: hold.routed(hold.target),
    "connected": lambda hold: hold.connected(101),
    "dispatched": lambda hold: hold.dispatched(),
    "started": lambda hold: hold.started(),
    "withheld": lambda hold: hold.withheld(Code.PROVIDER_BUSY),
    "head": lambda hold: hold.head(200),
    "streaming": lambda hold: hold.streaming(Meter()),
    "chunk": lambda hold: hold.chunk(),
    "body": lambda hold: hold.body(),
    "completed": lambda hold: hold.completed(answer()),
    "refused": lambda hold: hold.completed(REFUSED),
    "failed": lambda hold: hold.failed(ProviderFault(Code.PROVIDER_TIMEOUT, started=True)),
    "failed_unseen": lambda hold: hold.failed(ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)),
    "client_left": lambda hold: hold.client_left(),
    "cut_short": lambda hold: hold.cut_short(Code.SHUTTING_DOWN),
    "estimated": lambda hold: hold.estimated({"output_tokens": 1}),
    "taken_back": lambda hold: hold.taken_back(),
    "retried": lambda hold: hold.retried(hold.target),
    "settled": lambda hold: hold.settle(),
}
COLUMNS = "pending sent answering streaming completed refused unreached broken settled"
FOLLOWING = """
routed        pending   -         -         -         -         -         -         -         -
connected     pending   -         -         -         -         -         -         -         -
dispatched    pending   -         -         -         -         -         -         -         -
started       sent      sent      -         -         -         -         -         -         -
withheld      unreached unreached -         -         -         -         -         -         -
head          -         answering -         -         -         -         -         -         -
streaming     -         -         streaming -         -         -         -         -         -
chunk         -         -         -         streaming -         -         -         broken    settled
body          -         -         answering -         -         -         -         -         -
completed     -         -         completed completed -         -         -         completed -
refused       -         -         refused   refused   -         -         -         refused   -
failed        broken    broken    broken    broken    completed refused   -         broken    settled
failed_unseen unreached unreached broken    broken    completed refused   -         broken    settled
client_left   pending   sent      answering streaming completed refused   unreached broken    settled
cut_short     pending   sent      answering streaming completed refused   unreached broken    settled
estimated     -         -         -         streaming completed refused   -         broken    settled
taken_back    -         -         -         pending   -         -         -         pending   -
retried       -         -         -         -         pending   pending   pending   pending   -
settled       settled   settled   settled   settled   settled   settled   settled   settled   -
"""
"""What follows when an event (the line) happens in a state (the column); a dash where it cannot happen."""
WANTED = {
    (state, event): None if following == "-" else following
    for event, *row in map(str.split, FOLLOWING.strip().splitlines())
    for state, following in zip(COLUMNS.split(), row, strict=True)
}


async def fire(hold: Hold, event: Event) -> None:
    waited = FIRE[event](hold)
    if waited is not None:
        await waited


def way_to(state: State) -> list[Event]:
    """The fewest events that lead there."""
    ways: dict[State, list[Event]] = {"pending": []}
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


def test_transition_table_contains_every_state_and_every_event() -> None:
    assert set(TRANSITIONS) == set(STATES) == {state for state, _ in WANTED}
    assert set(FIRE) == set(EVENTS) == {event for _, event in WANTED}
    assert len(WANTED) == len(STATES) * len(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
async def test_hold_in_each_state_follows_the_table_or_refuses(state: State, event: Event) -> None:
    hold, following = await brought_to(state), WANTED[state, event]
    assert hold._state == state
    if following is None:
        before = what_is_known(hold)
        with pytest.raises(IllegalTransitionError, match=f"{state} cannot be {event}"):
            await fire(hold, event)
        assert what_is_known(hold) == before
    else:
        await fire(hold, event)
        assert hold._state == following


@pytest.mark.parametrize("state", STATES)
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


@pytest.mark.parametrize("state", [state for state in STATES if state != "settled"])
async def test_hold_not_started_is_charged_nothing(state: State) -> None:
    hold = await brought_to(state)
    hold.client_left()
    await hold.settle()
    assert hold.settlement is not None
    assert (hold.settlement.charge_pico == 0) == (state in NOT_STARTED | {"refused"})


async def test_chunk_after_the_first_does_not_read_the_clock() -> None:
    """Each chunk of a stream comes here."""
    hold = await brought_to("streaming")
    hold.chunk()
    clock: Any = hold.clock
    before_ns = clock.ns
    for _ in range(9):
        hold.chunk()
    assert clock.ns == before_ns
