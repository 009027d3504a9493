"""Does the clock tell a time that can be, and is all that was posted dated by it?"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.doctor.patient import Patient
from softix_proxy.domain.clock import EARLIEST_US, SECOND_US, SLACK_US, format_instant, from_us
from softix_proxy.operations import redating

_LAST_YEAR = 2099
_MOMENT_US = 5 * SECOND_US
"""Rows posted in one moment are numbered on past it."""
_SET = "set the clock, for example: timedatectl set-ntp true"


async def find(patient: Patient) -> AsyncIterator[Observation]:
    now_us = patient.clock.now_us()
    now = format_instant(now_us)
    if now_us < EARLIEST_US or from_us(now_us).year > _LAST_YEAR:
        yield error(f"the clock says {now}", _SET)
        return
    posted_us = await to_thread(patient.health.last_posted_us)
    books = f"the clock says {now}, but the books reach to {format_instant(posted_us)}"
    if now_us + _MOMENT_US < posted_us <= now_us + SLACK_US:
        yield error(books, f"{_SET}; if it is right now, new rows are dated after those until it catches up")
    elif posted_us > now_us + SLACK_US and await _is_misdated(patient, now_us):
        yield error(books, f"{_SET}; if it is right now, it was ahead before: softix ledger redate --dry-run")
    else:
        yield ok(f"the clock says {now}")
    zone, wanted = (await patient.storage.reading().instance.calendar()).name, patient.settings.billing.zone
    if zone != wanted:
        yield warning(
            f"caps and sums of days are by {zone} still, and billing.zone says {wanted}",
            "start softix serve anew: it sums up by the days of the setting",
        )


async def _is_misdated(patient: Patient, now_us: int) -> bool:
    """Whether anything lies in the future that was not booked elsewhere since."""
    async for day in patient.storage.reading().ledger.misdated(redating.ahead(now_us)):
        return bool(day)
    return False
