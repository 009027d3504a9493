"""Requests admission, and requests it again as long as the directory changes meanwhile.

This one function admits requests, realtime sessions and batches. A refusal counts only if the directory that it was
made from is the current one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from softix_proxy.domain.access.objects import AccountPlace, ObjectRef, Unresolved, pin
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import Denied, Stale
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.request.route import UnpricedError

MAX_TRIES = 8
"""The number of times that the directory may change during one request before the client is told to try again later."""

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

    `plan` decides by the directory as it is now. It raises RefusedError if the client may not have what it requests.
    `submit` passes the plan to the journal: one intent, or the intents of a batch, of which all or none are admitted.
    `refuse` makes the error that reports a denial to the client.
    """
    for _ in range(MAX_TRIES):
        try:
            planned = await plan()
        except RefusedError as error:
            if await directory.has_changed():
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


async def require_known(journal: Journal, user_id: int, refs: Sequence[ObjectRef], place: AccountPlace) -> None:
    """Raises RefusedError unless the user may name each of the things in this account. It holds nothing."""
    found = pin(refs, await journal.resolve(user_id, refs), (place,))
    if isinstance(found, Unresolved):
        raise RefusedError(found.code, refusal.unresolved(found.code, found.kind))
