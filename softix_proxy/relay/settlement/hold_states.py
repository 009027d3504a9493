"""The states of a hold and the events that change it, as one table. An event that the table does not list is a mistake.

A state says how far the current attempt has come at the provider, and so what can be charged for it. The client can
leave and softix can stop at any time. The hold remembers these events, but they change no state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

State = Literal[
    "pending",  # nothing of the attempt was sent
    "sent",  # the provider may have seen it
    "answering",  # the head of a response came
    "streaming",  # the response is a stream, and a meter reads it
    "completed",  # the response came to its end, or to its terminal event: it is to be billed
    "refused",  # the provider responded with an error and did no work
    "unreached",  # the attempt failed before the provider could have worked
    "broken",  # the attempt failed, and the provider may have worked
    "settled",
]
Event = Literal[
    "routed",  # another target was chosen before anything was sent
    "connected",  # the connection of a realtime session is open
    "dispatched",  # the request was handed to the upstream client
    "started",  # its first byte is about to be written
    "withheld",  # softix did not send it, or not all of it
    "head",  # the status and the headers of a response came
    "streaming",  # the response is read as a stream
    "chunk",
    "body",  # a whole response was read
    "completed",
    "refused",
    "failed",
    "failed_unseen",  # it failed in a way that proves that the provider did not work
    "client_left",
    "cut_short",  # softix itself ends it
    "estimated",  # it is known what a stream without a report will be charged by
    "taken_back",  # the provider of a realtime session did not begin the requested response
    "retried",  # another attempt follows this one, which failed
    "settled",
]
"""The events are plain strings rather than members of an enumeration.

An enumeration lookup takes longer than the table's.
"""

NOT_STARTED: frozenset[State] = frozenset(("pending", "unreached"))
"""The states in which the provider cannot have worked."""
OVER: frozenset[State] = frozenset(("completed", "settled"))
"""The states in which nothing more can be billed."""

TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    "pending": {
        "routed": "pending",
        "connected": "pending",
        "dispatched": "pending",
        "started": "sent",
        "withheld": "unreached",
        "failed": "broken",
        "failed_unseen": "unreached",
        "client_left": "pending",
        "cut_short": "pending",
        "settled": "settled",
    },
    "sent": {
        "started": "sent",  # this happens on another connection after the first was closed
        "withheld": "unreached",
        "head": "answering",
        "failed": "broken",
        "failed_unseen": "unreached",
        "client_left": "sent",
        "cut_short": "sent",
        "settled": "settled",
    },
    "answering": {
        "streaming": "streaming",
        "body": "answering",
        "completed": "completed",
        "refused": "refused",
        "failed": "broken",
        "failed_unseen": "broken",  # a provider that responds has seen the request
        "client_left": "answering",
        "cut_short": "answering",
        "settled": "settled",
    },
    "streaming": {
        "chunk": "streaming",
        "estimated": "streaming",
        "completed": "completed",
        "refused": "refused",
        "taken_back": "pending",
        "failed": "broken",
        "failed_unseen": "broken",
        "client_left": "streaming",
        "cut_short": "streaming",
        "settled": "settled",
    },
    "completed": {
        "estimated": "completed",
        "failed": "completed",  # nothing that follows reduces a whole response
        "failed_unseen": "completed",
        "client_left": "completed",
        "cut_short": "completed",
        "retried": "pending",
        "settled": "settled",
    },
    "refused": {
        "estimated": "refused",
        "failed": "refused",
        "failed_unseen": "refused",
        "client_left": "refused",
        "cut_short": "refused",
        "retried": "pending",
        "settled": "settled",
    },
    "unreached": {
        "client_left": "unreached",
        "cut_short": "unreached",
        "retried": "pending",
        "settled": "settled",
    },
    "broken": {
        "chunk": "broken",
        "estimated": "broken",
        "completed": "completed",  # one direction of a session broke off while the other had the end of a response
        "refused": "refused",
        "taken_back": "pending",
        "failed": "broken",
        "failed_unseen": "broken",
        "client_left": "broken",
        "cut_short": "broken",
        "retried": "pending",
        "settled": "settled",
    },
    "settled": {
        "chunk": "settled",  # anything that comes after the terminal event passes unbilled
        "estimated": "settled",
        "failed": "settled",
        "failed_unseen": "settled",
        "client_left": "settled",
        "cut_short": "settled",
    },
}


class IllegalTransitionError(RuntimeError):
    """A mistake in softix itself: an event that cannot happen in this state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a hold that is {state} cannot be {event}")
