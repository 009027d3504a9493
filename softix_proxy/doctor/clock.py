"""Does the clock tell a time that can be?"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.findings import Found, error, ok
from softix_proxy.doctor.patient import Patient
from softix_proxy.domain.clock import SECOND_US, format_instant, from_us

_YEARS = range(2025, 2100)
_SLACK_US = 5 * SECOND_US
"""Rows posted in one moment are numbered on past it."""
_SET = "set the clock, for example: timedatectl set-ntp true"


async def find(patient: Patient) -> AsyncIterator[Found]:
    now_us = patient.clock.now_us()
    now = format_instant(now_us)
    if from_us(now_us).year not in _YEARS:
        yield error(f"the clock says {now}", _SET)
        return
    posted_us = await to_thread(patient.health.last_posted_us)
    if posted_us > now_us + _SLACK_US:
        yield error(
            f"the clock says {now}, but the books reach to {format_instant(posted_us)}",
            f"{_SET}; if it is right now, it was ahead before: new rows are dated after those until it catches up",
        )
    else:
        yield ok(f"the clock says {now}")
