"""Looks after payments beside requests: finds what events did not tell, and tops balances up."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import FailureError, OperatorError
from softix_proxy.operations.ledger import auto_top_ups, payment_sweeps, refunds
from softix_proxy.operations.ledger.payments import PaymentService

log = logging.getLogger("softix.jobs")


async def sweep(service: PaymentService) -> None:
    """Sends refunds that an interruption left, and fetches what may have changed. It logs what fails."""
    try:
        context = await service.context()
        await refunds.send_approved(context)
        swept = await payment_sweeps.sweep(context)
        if swept.changed:
            log.info("the sweep found changed payments", extra={"count": swept.changed})
    except OperatorError as error:
        log.warning("could not sweep payments", extra={"error": type(error).__name__})


async def top_up(service: PaymentService) -> None:
    """Charges for balances that are below their thresholds. It logs what fails."""
    try:
        context = await service.context()
    except FailureError:
        return  # without a key there is nothing to charge by; the sweep, which runs less often, says so
    try:
        await auto_top_ups.run(context)
    except OperatorError as error:
        log.warning("could not look after automatic top-ups", extra={"error": type(error).__name__})


async def watch_sweep(service: PaymentService, every_s: float) -> None:
    """Sweeps at the start, and again and again until it is cancelled."""
    while True:
        await sweep(service)
        await asyncio.sleep(every_s)


async def watch_balances(service: PaymentService, every_s: float) -> None:
    """Compares balances with thresholds until it is cancelled."""
    while True:
        await top_up(service)
        await asyncio.sleep(every_s)
