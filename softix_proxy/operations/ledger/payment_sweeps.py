"""Finds what no event told: fetches unfinished payments, and handles the events that the payment provider lists."""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.ports.payment_gateway import GatewayError
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.ledger.payments import PaymentContext, handle_event, reconcile

_KEEP_EVENTS_US = 35 * DAY_US
"""The provider lists events of 30 days (https://docs.stripe.com/api/events)."""
_LIST_EVENTS_US = 30 * DAY_US
_OVERLAP_US = 3 * DAY_US
"""An event may be listed later than it is dated. This is far longer, and an event that was handled costs one look."""
_SKEW_US = 3600 * SECOND_US
"""How much the clock here may be ahead of the provider's."""
_SWEPT = {True: "payments_swept_us_live", False: "payments_swept_us_test"}
"""Live mode → the name of the row that has the time of the last whole sweep."""


@dataclass(frozen=True, slots=True)
class Swept:
    payments: int
    """How many payments were fetched."""
    changed: int
    failed: int
    """How many payments and events could not be handled. They are tried again the next time."""


async def sweep(context: PaymentContext, *, everything: bool = False) -> Swept:
    """Finds what events did not tell: fetches unfinished payments, and those that the provider's list of events names.

    With `everything` it fetches each payment of this mode. Raises GatewayError if the list cannot be read.
    """
    reading = context.storage.reading()
    is_live, started_us = context.gateway.is_live, reading.clock.now_us()
    wanted = {payment.id: payment for payment in await reading.payments.unfinished()}
    if everything:
        wanted |= {payment.id: payment for payment in await reading.payments.list(None, _ALL)}
    changed = failed = 0
    done: set[int] = set()
    for payment in wanted.values():
        if payment.is_live is not is_live:
            continue
        try:
            after = await reconcile(context, payment.id)
        except GatewayError:
            failed += 1
            continue
        done.add(payment.id)
        changed += after.is_just_changed
    since_us, failed_events = await _since_us(reading, is_live), 0
    if since_us is not None:
        async for hint in context.gateway.events(since_us):
            try:
                handled = await handle_event(context, hint)
            except GatewayError:  # the event was not noted, so that the next sweep handles it
                failed_events += 1
                continue
            if handled is not None:
                done.add(handled.id)
                changed += handled.is_just_changed
    async with context.storage.writing() as unit:
        if not failed_events:
            await note_sweep(unit, is_live, started_us)
        await unit.payments.forget_events(unit.clock.now_us() - _KEEP_EVENTS_US)
    return Swept(len(done), changed, failed + failed_events)


_ALL = 2**31


async def _since_us(unit: Unit, is_live: bool) -> int | None:
    """Returns from when on events are listed: with an overlap, since the last sweep that handled its whole list began.

    A single event says nothing about those before it: one that came by the webhook, or after one that failed. It is
    never before the first payment, because a busy account has many events of other programs. None if there is no
    payment at all.
    """
    first_us = await unit.payments.first_begun_us()
    if first_us is None:
        return None
    now_us = unit.clock.now_us()
    swept_us = min(int(await unit.instance.get(_SWEPT[is_live]) or 0), now_us)
    return max(now_us - _LIST_EVENTS_US, first_us - _SKEW_US, swept_us - _OVERLAP_US)


async def note_sweep(unit: Unit, is_live: bool, started_us: int) -> None:
    """Notes when the last sweep of this mode began that handled its whole list. 0 forgets it."""
    await unit.instance.set(_SWEPT[is_live], str(started_us).encode())
