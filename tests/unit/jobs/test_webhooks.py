from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.books import StoppedClock
from support.webhook_receiver import HANGS, WebhookReceiver, webhook_receiver

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.notices.delivery_tally import DeliveryTally
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.notices.webhooks import GIVE_UP_AFTER_US, PAUSES_US, Delivery, DeliveryState, WebhookEndpoint
from softix_proxy.domain.ports.webhook_post import WebhookAnswer
from softix_proxy.jobs.webhooks import DeliveryPolicy, WebhookJob
from softix_proxy.operations.notices import webhook_events, webhooks
from softix_proxy.operations.notices.webhooks import EndpointWithSecret
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.upstream.webhook_client import HttpWebhookPost
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault

LEASE_US = 60 * SECOND_US
POLICY = DeliveryPolicy(lease_us=LEASE_US, poll_s=0.01)
DATA = {"period": "2026-10", "rows": 7}


class Lab:
    """An instance with a job, whose clock stands still."""

    def __init__(self, storage: SqliteStorage, clock: StoppedClock) -> None:
        master = MasterKey(secrets.token_bytes(32))
        self.vault = MasterVault(master, secrets.token_bytes(32), KeyRing([master]))
        self.storage = storage
        self.clock = clock
        self.tally = DeliveryTally()

    def job(self, post: Any = None, policy: DeliveryPolicy = POLICY) -> WebhookJob:
        return WebhookJob(self.storage, self.vault, post or HttpWebhookPost(), policy, self.tally, lambda most: 0)

    async def add(self, url: str) -> EndpointWithSecret:
        return await webhooks.add(self.storage, self.vault, url, allow_private=True)

    async def enqueue(self, count: int = 1) -> None:
        async with self.storage.writing() as unit:
            for _ in range(count):
                assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, DATA)

    async def deliveries(self, endpoint: WebhookEndpoint) -> list[Delivery]:
        listed = await self.storage.reading().webhooks.deliveries(endpoint.id, 100)
        return [each.delivery for each in reversed(listed)]

    async def condition(self, endpoint: WebhookEndpoint) -> str:
        return (await webhooks.find(self.storage.reading(), endpoint.public_id)).condition


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    clock = StoppedClock()
    database = Database(tmp_path / "softix.db", clock)
    database.create()
    await database.open()
    try:
        yield Lab(SqliteStorage(database), clock)
    finally:
        await database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as running:
        yield running


async def test_due_events_arrive_signed_in_their_order(lab: Lab, receiver: WebhookReceiver) -> None:
    made = await lab.add(receiver.url)
    await lab.enqueue(3)
    await lab.job().send_due()
    stored = [await lab.storage.reading().webhooks.event(each.event_id) for each in await lab.deliveries(made.endpoint)]
    assert [each.id for each in receiver.received] == [each.public_id for each in stored]
    first = receiver.received[0]
    assert first.headers["content-type"] == "application/json" and b"2027-01-15T08:00:00.000000Z" in first.body
    assert {each.state for each in await lab.deliveries(made.endpoint)} == {DeliveryState.DELIVERED}
    assert (lab.tally.delivered, lab.tally.attempts_failed) == (3, 0)
    await lab.job().send_due()
    assert len(receiver.received) == 3 and lab.tally.waiting == 0


async def test_event_that_fails_is_sent_again_after_each_pause_with_the_same_id_and_body(
    lab: Lab, receiver: WebhookReceiver
) -> None:
    made, job = await lab.add(receiver.url), lab.job()
    receiver.answers += [500, 503, 404]
    await lab.enqueue()
    for number, pause_us in enumerate(PAUSES_US[:3]):
        await job.send_due()
        await job.send_due()
        assert len(receiver.received) == number + 1, "it is not due before its pause is over"
        lab.clock.us += pause_us
    await job.send_due()
    [delivery] = await lab.deliveries(made.endpoint)
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.DELIVERED, 4, None)
    assert len({(each.id, each.body) for each in receiver.received}) == 1
    times = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert times == sorted({*times}) and times[-1] == lab.clock.us // SECOND_US, "each attempt is signed anew"
    assert (lab.tally.delivered, lab.tally.attempts_failed, lab.tally.given_up) == (1, 3, 0)


async def test_event_is_given_up_after_three_days_and_its_endpoint_is_failing_until_one_arrives(
    lab: Lab, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    made, job = await lab.add(receiver.url), lab.job()
    receiver.usual = 500
    await lab.enqueue()
    began_us = lab.clock.us
    with caplog.at_level(logging.DEBUG, "softix"):
        for pause_us in (*PAUSES_US, 0):
            await job.send_due()
            lab.clock.us += pause_us
    [delivery] = await lab.deliveries(made.endpoint)
    assert (delivery.state, delivery.attempts, delivery.status_code) == (DeliveryState.FAILED, 10, 500)
    assert lab.clock.us - began_us > GIVE_UP_AFTER_US and await lab.condition(made.endpoint) == "failing"
    told = [vars(each) for each in caplog.records if each.name.startswith("softix")]
    assert lab.tally.given_up == 1 and [each["error"] for each in told] == ["refused"] * 10
    assert "127.0.0.1" not in str(told) and made.secret not in str(told)
    receiver.usual = 204
    lab.clock.us += 60 * SECOND_US
    await webhooks.replay(lab.storage, delivery.public_id)
    await job.send_due()
    assert await lab.condition(made.endpoint) == "enabled" and receiver.received[-1].id == receiver.received[0].id


async def test_receiver_that_answers_410_is_told_nothing_any_more(lab: Lab, receiver: WebhookReceiver) -> None:
    made = await lab.add(receiver.url)
    receiver.answers += [410]
    await lab.enqueue(2)
    await lab.job().send_due()
    assert len(receiver.received) == 1 and await lab.condition(made.endpoint) == "gone"
    assert [each.error for each in await lab.deliveries(made.endpoint)] == ["gone", "disabled"]
    async with lab.storage.writing() as unit:
        assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, DATA) == 0


async def test_slow_receiver_holds_up_no_other(lab: Lab, receiver: WebhookReceiver) -> None:
    async with webhook_receiver() as slow:
        slow.usual = HANGS
        hung, well, job = await lab.add(slow.url), await lab.add(receiver.url), lab.job()
        await lab.enqueue(3)
        running = asyncio.ensure_future(job.run())
        try:
            await slow.wait_for(1)
            await receiver.wait_for(3)
            async with asyncio.timeout(20):
                while lab.tally.delivered < 3:
                    await asyncio.sleep(0)
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert [each.attempts for each in await lab.deliveries(hung.endpoint)] == [1, 0, 0]
        assert {each.state for each in await lab.deliveries(well.endpoint)} == {DeliveryState.DELIVERED}


async def test_endpoint_that_fails_rests_longer_each_time(lab: Lab, receiver: WebhookReceiver) -> None:
    await lab.add(receiver.url)
    job = lab.job()
    receiver.usual = 500
    await lab.enqueue(20)
    for number in range(4):
        await job.send_due()
        await job.send_due()
        assert len(receiver.received) == number + 1, "the others wait as well"
        lab.clock.us += 5 * SECOND_US << number
    lab.clock.us += DAY_US
    receiver.usual = 204
    await job.send_due()
    assert lab.tally.delivered == 20


async def test_delivery_of_a_dead_process_is_sent_when_its_claim_ends(lab: Lab, receiver: WebhookReceiver) -> None:
    made = await lab.add(receiver.url)
    await lab.enqueue()
    async with lab.storage.writing() as unit:
        assert await unit.webhooks.claim(made.endpoint.id, lab.clock.us, lab.clock.us + LEASE_US)
    await lab.job().send_due()
    assert not receiver.received
    lab.clock.us += LEASE_US
    await lab.job().send_due()
    assert len(receiver.received) == 1


async def test_jobs_side_by_side_deliver_each_event_once(lab: Lab, receiver: WebhookReceiver) -> None:
    await lab.add(receiver.url)
    await lab.enqueue(20)
    await asyncio.gather(*(lab.job().send_due() for _ in range(4)))
    assert len(receiver.received) == len({each.id for each in receiver.received}) == 20


async def test_endpoint_whose_secret_does_not_open_gets_nothing_unsigned(lab: Lab, receiver: WebhookReceiver) -> None:
    made = await lab.add(receiver.url)
    await lab.enqueue()
    other = MasterKey(secrets.token_bytes(32))
    lab.vault = MasterVault(other, secrets.token_bytes(32), KeyRing([other]))
    await lab.job().send_due()
    [delivery] = await lab.deliveries(made.endpoint)
    assert (delivery.state, delivery.error) == (DeliveryState.WAITING, "secret_unreadable") and not receiver.received


class Broken:
    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> WebhookAnswer:
        raise RuntimeError(url)


async def test_job_goes_on_after_an_error_and_tells_nothing_of_it(
    lab: Lab, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    made = await lab.add(receiver.url)
    await lab.enqueue()
    await lab.job(Broken()).send_due()
    [delivery] = await lab.deliveries(made.endpoint)
    [told] = [vars(each) for each in caplog.records if each.name.startswith("softix")]
    assert delivery.state is DeliveryState.WAITING and told["error"] == "RuntimeError"
    assert "127.0.0.1" not in str(told)


async def test_old_deliveries_are_purged_while_the_job_runs(lab: Lab, receiver: WebhookReceiver) -> None:
    made, job = await lab.add(receiver.url), lab.job()
    await lab.enqueue()
    await job.send_due()
    lab.clock.us += 36 * DAY_US
    running = asyncio.ensure_future(job.run())
    async with asyncio.timeout(20):
        while await lab.deliveries(made.endpoint):
            await asyncio.sleep(0)
    job.stop()
    await running
