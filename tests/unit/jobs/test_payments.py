from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.payment_gateway import EventHint
from softix_proxy.jobs import payments as jobs
from softix_proxy.operations.ledger import auto_top_ups, checkouts
from softix_proxy.operations.ledger.payments import PaymentContext


class Service:
    def __init__(self, lab: Paying) -> None:
        self.lab, self.is_broken, self.asked = lab, False, asyncio.Event()

    async def context(self) -> PaymentContext:
        self.asked.set()
        if self.is_broken:
            raise FailureError("there is no key of Stripe")
        return self.lab.context

    async def is_live(self) -> bool:
        raise NotImplementedError

    async def read_event(self, body: bytes, signature: str | None) -> EventHint:
        raise NotImplementedError


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with paying(tmp_path) as lab:
        yield Service(lab)


async def test_sweep_job_credits_a_payment_whose_events_were_lost(service: Service) -> None:
    session_id = await service.lab.begin(2500)
    service.lab.fake.pay(session_id)
    await jobs.sweep(service)
    assert await service.lab.credit_cents() == 2500


async def test_top_up_job_charges_for_a_low_balance(service: Service) -> None:
    lab = service.lab
    lab.fake.add_method(await checkouts.customer_of(lab.context, lab.user))
    await auto_top_ups.set_up(
        lab.context, 1, account=None, threshold_cents=2000, amount_cents=2500, monthly_cap_cents=2500
    )
    await jobs.top_up(service)
    assert await lab.credit_cents() == 2500


async def test_job_that_fails_logs_the_class_and_goes_on(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    service.is_broken = True
    for job in (jobs.watch_sweep, jobs.watch_balances):
        task = asyncio.create_task(job(service, 0))
        await service.asked.wait()
        service.asked.clear()
        await service.asked.wait()
        task.cancel()
        await asyncio.wait([task])
        service.asked.clear()
    assert {record.__dict__["error"] for record in caplog.records if "error" in record.__dict__} == {"FailureError"}
