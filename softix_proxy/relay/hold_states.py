"""The states of a hold and the events that move it, as one table. What the table does not list is a mistake.

A state says how far the attempt under way has come at the provider, and so what can be charged for it. The client's
leaving, and softix's own stopping, can happen at any time: they are remembered, and move nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    """Nothing of the attempt was sent."""
    SENT = "sent"
    """The provider may have seen it."""
    ANSWERING = "answering"
    """The head of an answer came."""
    STREAMING = "streaming"
    """The answer is a stream, and a meter reads it."""
    COMPLETED = "completed"
    """The answer came to its end, or to its terminal event: it is to be billed."""
    REFUSED = "refused"
    """The provider answered with an error and did no work."""
    UNREACHED = "unreached"
    """The attempt failed before the provider could have worked."""
    BROKEN = "broken"
    """The attempt failed, and the provider may have worked."""
    SETTLED = "settled"


class Event(StrEnum):
    ROUTED = "routed"
    """Another target was chosen before anything was sent."""
    CONNECTED = "connected"
    """The connection of a realtime session is open."""
    DISPATCHED = "dispatched"
    """The request was handed to the upstream client."""
    STARTED = "started"
    """Its first byte is about to be written."""
    WITHHELD = "withheld"
    """softix did not send it, or not all of it."""
    HEAD = "head"
    STREAM = "stream"
    CHUNK = "chunk"
    BODY = "body"
    """A whole answer was read."""
    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"
    FAILED_UNSEEN = "failed_unseen"
    """It failed in a way that proves that the provider did not work."""
    CLIENT_LEFT = "client_left"
    CUT_SHORT = "cut_short"
    """softix itself ends it."""
    ESTIMATED = "estimated"
    """It is known what a stream without a report will be charged by."""
    TAKEN_BACK = "taken_back"
    """The provider of a realtime session did not begin the response that was asked for."""
    RETRIED = "retried"
    """Another attempt follows this one, which came to nothing."""
    SETTLED = "settled"


NOT_STARTED = frozenset((State.PENDING, State.UNREACHED))
"""The states in which the provider cannot have worked."""

_E, _S = Event, State
TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    _S.PENDING: {
        _E.ROUTED: _S.PENDING,
        _E.CONNECTED: _S.PENDING,
        _E.DISPATCHED: _S.PENDING,
        _E.STARTED: _S.SENT,
        _E.WITHHELD: _S.UNREACHED,
        _E.FAILED: _S.BROKEN,
        _E.FAILED_UNSEEN: _S.UNREACHED,
        _E.CLIENT_LEFT: _S.PENDING,
        _E.CUT_SHORT: _S.PENDING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.SENT: {
        _E.STARTED: _S.SENT,  # on another connection, where the first was closed under it
        _E.WITHHELD: _S.UNREACHED,
        _E.HEAD: _S.ANSWERING,
        _E.FAILED: _S.BROKEN,
        _E.FAILED_UNSEEN: _S.UNREACHED,
        _E.CLIENT_LEFT: _S.SENT,
        _E.CUT_SHORT: _S.SENT,
        _E.SETTLED: _S.SETTLED,
    },
    _S.ANSWERING: {
        _E.STREAM: _S.STREAMING,
        _E.BODY: _S.ANSWERING,
        _E.COMPLETED: _S.COMPLETED,
        _E.REFUSED: _S.REFUSED,
        _E.FAILED: _S.BROKEN,
        _E.FAILED_UNSEEN: _S.BROKEN,  # whoever answers has seen it
        _E.CLIENT_LEFT: _S.ANSWERING,
        _E.CUT_SHORT: _S.ANSWERING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.STREAMING: {
        _E.CHUNK: _S.STREAMING,
        _E.ESTIMATED: _S.STREAMING,
        _E.COMPLETED: _S.COMPLETED,
        _E.REFUSED: _S.REFUSED,
        _E.TAKEN_BACK: _S.PENDING,
        _E.FAILED: _S.BROKEN,
        _E.FAILED_UNSEEN: _S.BROKEN,
        _E.CLIENT_LEFT: _S.STREAMING,
        _E.CUT_SHORT: _S.STREAMING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.COMPLETED: {
        _E.ESTIMATED: _S.COMPLETED,
        _E.FAILED: _S.COMPLETED,  # nothing that follows takes away from a whole answer
        _E.FAILED_UNSEEN: _S.COMPLETED,
        _E.CLIENT_LEFT: _S.COMPLETED,
        _E.CUT_SHORT: _S.COMPLETED,
        _E.RETRIED: _S.PENDING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.REFUSED: {
        _E.ESTIMATED: _S.REFUSED,
        _E.FAILED: _S.REFUSED,
        _E.FAILED_UNSEEN: _S.REFUSED,
        _E.CLIENT_LEFT: _S.REFUSED,
        _E.CUT_SHORT: _S.REFUSED,
        _E.RETRIED: _S.PENDING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.UNREACHED: {
        _E.CLIENT_LEFT: _S.UNREACHED,
        _E.CUT_SHORT: _S.UNREACHED,
        _E.RETRIED: _S.PENDING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.BROKEN: {
        _E.CHUNK: _S.BROKEN,
        _E.ESTIMATED: _S.BROKEN,
        _E.COMPLETED: _S.COMPLETED,  # one direction of a session broke off while the other had the end of a response
        _E.REFUSED: _S.REFUSED,
        _E.TAKEN_BACK: _S.PENDING,
        _E.FAILED: _S.BROKEN,
        _E.FAILED_UNSEEN: _S.BROKEN,
        _E.CLIENT_LEFT: _S.BROKEN,
        _E.CUT_SHORT: _S.BROKEN,
        _E.RETRIED: _S.PENDING,
        _E.SETTLED: _S.SETTLED,
    },
    _S.SETTLED: {
        _E.CHUNK: _S.SETTLED,  # what comes after the last word passes unbilled
        _E.ESTIMATED: _S.SETTLED,
        _E.FAILED: _S.SETTLED,
        _E.FAILED_UNSEEN: _S.SETTLED,
        _E.CLIENT_LEFT: _S.SETTLED,
        _E.CUT_SHORT: _S.SETTLED,
    },
}


class IllegalTransitionError(RuntimeError):
    """A mistake of softix's own: an event that cannot happen in this state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a hold that is {state} cannot be {event}")
