"""Asks for admission, and asks again as long as the directory changes meanwhile.

Requests, realtime sessions and batches are admitted by this one function. A refusal counts only where the directory
that it was made from is the current one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import Denied, Stale
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.request.route import UnpricedError

MAX_TRIES = 8
"""How often the directory may change under one request before the client is told to come back."""

P = TypeVar("P")
A = TypeVar("A")


async def admit(
    directory: LiveDirectory,
    journal: Journal,
    plan: Callable[[], Awaitable[P]],
    submit: Callable[[P], Awaitable[A | Denied | Stale]],
    refuse: Callable[[P, Denied], RefusedError],
) -> tuple[P, A]:
    """Returns the plan that was admitted, and what the journal decided. Raises RefusedError.

    `plan` decides by the directory as it is now, and raises RefusedError where the client may not have what it asks
    for. `submit` puts the plan before the journal: one intent, or all of a batch and otherwise none. `refuse` tells
    the client of a denial.
    """
    for _ in range(MAX_TRIES):
        try:
            planned = await plan()
        except RefusedError as error:
            revision = directory.current.revision
            await directory.refresh()
            if directory.current.revision != revision:
                continue
            if isinstance(error, UnpricedError):
                journal.note_unpriced(error.model_id)
            raise
        decision = await submit(planned)
        if isinstance(decision, Denied):
            raise refuse(planned, decision)
        if not isinstance(decision, Stale):
            return planned, decision
        await directory.refresh()
    raise RefusedError(Code.STORAGE_UNAVAILABLE, "The configuration is changing. Try again.", retry_after_s=1)
