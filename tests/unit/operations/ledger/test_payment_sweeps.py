"""Sweeps against the fake Stripe: what events did not tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.paying import Paying, paying

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentPosting
from softix_proxy.domain.ports.payment_gateway import EventHint
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.ledger import payment_sweeps, payments


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Paying]:
    async with paying(tmp_path) as made:
        yield made


async def test_sweep_finds_what_no_event_told(lab: Paying) -> None:
    payment = await lab.paid(2500)
    assert payment.intent_id is not None
    lab.fake.send_back(payment.intent_id, 1000)
    lost = await lab.begin(4000)
    lab.fake.pay(lost)
    swept = await payment_sweeps.sweep(lab.context)
    assert (swept.failed, await lab.credit_cents()) == (0, 1500 + 4000)
    assert (await payment_sweeps.sweep(lab.context)).changed == 0


async def test_sweep_lists_no_events_of_before_the_first_payment(lab: Paying) -> None:
    await payment_sweeps.sweep(lab.context)
    assert ("GET", "events") not in lab.fake.requests
    lab.fake.happen("payment_intent.succeeded", lab.fake.make("pi", "payment_intent", metadata={}))
    lab.clock.us += 2 * DAY_US
    await lab.begin(2500)
    lab.fake.requests.clear()
    await payment_sweeps.sweep(lab.context)
    assert ("GET", "events") in lab.fake.requests
    assert not [path for _, path in lab.fake.requests if path.startswith("payment_intents/")]


async def test_sweep_goes_on_after_a_payment_that_cannot_be_fetched(lab: Paying) -> None:
    first, second = await lab.begin(2500), await lab.begin(4000)
    lab.fake.pay(first)
    lab.fake.pay(second)
    lab.fake.events.clear()
    for event in lab.fake.of("event"):
        del lab.fake.things[event["id"]]
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 3, first
    swept = await payment_sweeps.sweep(lab.context)
    assert (swept.payments, swept.failed, await lab.credit_cents()) == (1, 1, 4000)


async def test_sweep_goes_on_after_an_event_that_cannot_be_handled(lab: Paying) -> None:
    first, second = await lab.paid(2500), await lab.paid(4000)
    assert first.intent_id is not None and second.intent_id is not None
    lab.fake.send_back(first.intent_id, 1000)
    lab.fake.send_back(second.intent_id, 500)
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 6, f"payment_intents/{first.intent_id}"
    swept = await payment_sweeps.sweep(lab.context)
    assert (swept.changed, swept.failed, await lab.credit_cents()) == (1, 2, 6500 - 500)
    again = await payment_sweeps.sweep(lab.context)
    assert (again.changed, again.failed, await lab.credit_cents()) == (1, 0, 6500 - 1500)


async def sent_back(lab: Paying, *cents: int) -> list[OnlinePayment]:
    """As many payments, and a refund of each that no event told. One webhook has come since."""
    made = [await lab.paid(2500) for _ in cents]
    await payment_sweeps.sweep(lab.context)
    for payment, part in zip(made, cents, strict=True):
        assert payment.intent_id is not None
        lab.clock.us += 10**6
        lab.fake.send_back(payment.intent_id, part)
    return made


async def test_sweep_lists_an_event_again_that_failed_however_many_were_handled_since(lab: Paying) -> None:
    first, _ = await sent_back(lab, 1000, 500)
    lab.clock.us += 6 * DAY_US
    lab.fake.faults.statuses, lab.fake.faults.paths = [500] * 6, f"payment_intents/{first.intent_id}"
    assert (await payment_sweeps.sweep(lab.context)).failed == 2
    lab.clock.us += 6 * DAY_US
    assert (await payment_sweeps.sweep(lab.context)).changed == 1
    assert await lab.credit_cents() == 5000 - 1500


async def test_sweep_lists_what_happened_before_a_webhook_that_came_first(lab: Paying) -> None:
    await sent_back(lab, 1000)
    lab.clock.us += 6 * DAY_US
    await payments.handle_event(lab.context, EventHint("evt_of_another_program", False))
    await payment_sweeps.sweep(lab.context)
    assert await lab.credit_cents() == 1500


async def test_sweep_that_is_killed_begins_again_where_the_last_whole_one_began(lab: Paying) -> None:
    await sent_back(lab, 1000, 500)
    lab.clock.us += 6 * DAY_US
    handled: list[int] = []

    async def dies(unit: Unit, before: OnlinePayment, after: OnlinePayment, postings: Sequence[PaymentPosting]) -> None:
        handled.append(after.id)
        if len(handled) == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await payment_sweeps.sweep(replace(lab.context, follow_up=dies))
    assert await lab.credit_cents() == 4000
    await payment_sweeps.sweep(lab.context)
    assert await lab.credit_cents() == 3500


async def test_sweep_of_one_mode_does_not_count_as_one_of_the_other(lab: Paying) -> None:
    await sent_back(lab, 1000)
    lab.clock.us += 6 * DAY_US
    async with lab.storage.writing() as unit:
        await payment_sweeps.note_sweep(unit, True, unit.clock.now_us())
    await payment_sweeps.sweep(lab.context)
    assert await lab.credit_cents() == 1500


async def test_sweep_after_a_whole_one_lists_with_an_overlap_only(lab: Paying) -> None:
    [first] = await sent_back(lab, 1000)
    asked: list[int] = []
    listed = lab.context.gateway.events

    def events(since_us: int) -> AsyncIterator[EventHint]:
        asked.append(since_us)
        return listed(since_us)

    lab.context.gateway.events = events  # type: ignore[method-assign]
    lab.clock.us += 10 * DAY_US
    await payment_sweeps.sweep(lab.context)
    await payment_sweeps.sweep(lab.context)
    assert asked == [first.created_at_us - 3600 * 10**6, lab.clock.us - 3 * DAY_US]
    lab.clock.us -= DAY_US  # the clock was ahead, and was set
    await payment_sweeps.sweep(lab.context)
    assert asked[2] == lab.clock.us - 3 * DAY_US
