"""Checks whether the clock shows a possible time, and whether all rows were posted by it."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.clock import EARLIEST_US, SECOND_US, SLACK_US, format_instant, from_us
from softix_proxy.operations.ledger import redating

_LAST_YEAR = 2099
_MOMENT_US = 5 * SECOND_US
"""The tolerance for rows that are posted at the same moment, because their numbers continue past it."""
_SET = "set the clock, for example: timedatectl set-ntp true"


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    now_us = context.clock.now_us()
    now = format_instant(now_us)
    if now_us < EARLIEST_US or from_us(now_us).year > _LAST_YEAR:
        yield error(f"the clock says {now}", _SET)
        return
    posted_us = await to_thread(context.health.last_posted_us)
    books = f"the clock says {now}, but the books reach to {format_instant(posted_us)}"
    if now_us + _MOMENT_US < posted_us <= now_us + SLACK_US:
        yield error(books, f"{_SET}; if it is right now, new rows are dated after those until it catches up")
    elif posted_us > now_us + SLACK_US and await _is_misdated(context, now_us):
        yield error(books, f"{_SET}; if it is right now, it was ahead before: softix ledger redate --dry-run")
    else:
        yield ok(f"the clock says {now}")
    zone, wanted = (await context.storage.reading().instance.calendar()).name, context.settings.billing.zone
    if zone != wanted:
        yield warning(
            f"caps and sums of days are by {zone} still, and billing.zone says {wanted}",
            "start softix serve anew: it sums up by the days of the setting",
        )


async def _is_misdated(context: CheckContext, now_us: int) -> bool:
    """Returns whether anything is dated in the future and was not redated since."""
    async for day in context.storage.reading().ledger.misdated(redating.ahead(now_us)):
        return bool(day)
    return False
