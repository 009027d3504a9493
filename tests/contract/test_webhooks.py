from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from support.books import StoppedClock

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.notices.webhook_events import EventKind, WebhookEvent
from softix_proxy.domain.notices.webhooks import Delivery, DeliveryState, EndpointStatus, WebhookEndpoint
from softix_proxy.domain.ports.storage import Storage

ADA, BOB = 1, 2
LEASE_US = 60 * SECOND_US
CLOSED = WebhookEvent(EventKind.PERIOD_CLOSED, {"period": "2026-10", "rows": 3})


def endpoint(name: str, *kinds: EventKind, user_id: int | None = None) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=0,
        public_id=name,
        url=f"https://example.org/{name}",
        kinds=kinds,
        user_id=user_id,
        status=EndpointStatus.ENABLED,
        allow_private=False,
        sealed_secret=b"sealed " + name.encode(),
        sealed_old_secret=None,
        old_secret_until_us=None,
        failing_since_us=None,
        created_at_us=5,
    )


async def add(storage: Storage, name: str = "whk_a", *kinds: EventKind, user_id: int | None = None) -> WebhookEndpoint:
    async with storage.writing() as unit:
        return await unit.webhooks.add(endpoint(name, *kinds, user_id=user_id))


async def enqueue(storage: Storage, event: WebhookEvent = CLOSED, name: str = "evt_a") -> int:
    async with storage.writing() as unit:
        return await unit.webhooks.enqueue(event, name, unit.clock.now_us())


async def claim(storage: Storage, endpoint_id: int) -> Delivery | None:
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        return await unit.webhooks.claim(endpoint_id, now_us, now_us + LEASE_US)


async def claimed(storage: Storage, endpoint_id: int) -> Delivery:
    found = await claim(storage, endpoint_id)
    assert found is not None
    return found


async def fail(storage: Storage, delivery: Delivery, next_at_us: int | None = None) -> bool:
    async with storage.writing() as unit:
        return await unit.webhooks.failed(delivery, next_at_us, "refused", 500, unit.clock.now_us())


async def found(storage: Storage, delivery: Delivery) -> Delivery:
    stored = await storage.reading().webhooks.find_delivery(delivery.public_id)
    assert stored is not None
    return stored


async def is_failing(storage: Storage, endpoint_id: int) -> bool:
    stored = await storage.reading().webhooks.get(endpoint_id)
    return stored is not None and stored.condition == "failing"


async def test_added_endpoint_is_found_as_it_was_given(storage: Storage) -> None:
    store = storage.reading().webhooks
    assert not await store.any_enabled()
    added = await add(storage, "whk_a", EventKind.CAP_REACHED, user_id=ADA)
    assert added == replace(endpoint("whk_a", EventKind.CAP_REACHED, user_id=ADA), id=added.id)
    assert await store.find("whk_a") == added == await store.get(added.id) and await store.find("whk_b") is None
    assert await store.list() == [added] and await store.any_enabled()


async def test_event_goes_to_the_endpoints_that_want_it_and_to_its_organisation_only(storage: Storage) -> None:
    whole, caps = await add(storage, "whk_a"), await add(storage, "whk_b", EventKind.CAP_REACHED)
    ada, bob = await add(storage, "whk_c", user_id=ADA), await add(storage, "whk_d", user_id=BOB)
    store = storage.reading().webhooks
    assert await enqueue(storage, WebhookEvent(EventKind.CAP_REACHED, {}, ADA)) == 3
    assert await enqueue(storage, WebhookEvent(EventKind.KEY_CREATED, {}, BOB), "evt_b") == 2
    assert await enqueue(storage, CLOSED, "evt_c") == 1, "what is of no organisation is none's"
    told = {one.public_id: [each.kind for each in await store.deliveries(one.id, 9)] for one in (whole, caps, ada, bob)}
    assert told == {
        "whk_a": [EventKind.PERIOD_CLOSED, EventKind.KEY_CREATED, EventKind.CAP_REACHED],
        "whk_b": [EventKind.CAP_REACHED],
        "whk_c": [EventKind.CAP_REACHED],
        "whk_d": [EventKind.KEY_CREATED],
    }


async def test_event_that_nobody_wants_or_whose_cause_is_known_is_not_added(storage: Storage) -> None:
    once = replace(CLOSED, once="period:1")
    assert await enqueue(storage, once) == 0 and not await storage.reading().webhooks.is_heard(CLOSED.kind, None)
    added = await add(storage)
    assert await storage.reading().webhooks.is_heard(CLOSED.kind, None)
    assert await enqueue(storage, once) == 1
    assert await enqueue(storage, once, "evt_b") == 0
    async with storage.writing() as unit:
        await unit.webhooks.update(replace(added, status=EndpointStatus.DISABLED))
    assert await enqueue(storage, CLOSED, "evt_c") == 0


async def test_event_of_a_transaction_that_fails_does_not_exist(storage: Storage) -> None:
    await add(storage)
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            await unit.webhooks.enqueue(CLOSED, "evt_a", 1)
            raise RuntimeError
    assert await storage.reading().webhooks.waiting() == 0


async def test_claimed_delivery_is_not_claimed_again_until_its_lease_ends(
    storage: Storage, clock: StoppedClock
) -> None:
    added = await add(storage)
    await enqueue(storage)
    assert await storage.reading().webhooks.due(clock.us) == [added.id]
    first = await claimed(storage, added.id)
    stored = await storage.reading().webhooks.event(first.event_id)
    assert (stored.public_id, stored.event, stored.at_us) == ("evt_a", CLOSED, clock.us)
    assert first.attempts == 1 and await claim(storage, added.id) is None
    clock.us += LEASE_US - 1
    assert await claim(storage, added.id) is None and await storage.reading().webhooks.due(clock.us) == []
    clock.us += 1
    assert (await claimed(storage, added.id)).attempts == 2


async def test_deliveries_claimed_by_many_at_once_are_claimed_once_each(storage: Storage) -> None:
    added = await add(storage)
    for number in range(8):
        await enqueue(storage, CLOSED, f"evt_{number}")
    taken = await asyncio.gather(*(claim(storage, added.id) for _ in range(12)))
    ids = [each.id for each in taken if each is not None]
    assert len(ids) == len({*ids}) == 8


async def test_delivered_event_ends_and_its_endpoint_is_well(storage: Storage, clock: StoppedClock) -> None:
    added = await add(storage)
    await enqueue(storage)
    await enqueue(storage, CLOSED, "evt_b")
    lost, kept = await claimed(storage, added.id), await claimed(storage, added.id)
    assert await fail(storage, lost) and await is_failing(storage, added.id)
    async with storage.writing() as unit:
        await unit.webhooks.delivered(kept, 204, clock.us)
    ended = await found(storage, kept)
    assert (ended.state, ended.status_code, ended.error, ended.ended_at_us) == (
        DeliveryState.DELIVERED,
        204,
        None,
        clock.us,
    )
    assert not await is_failing(storage, added.id)
    assert await storage.reading().webhooks.counts(added.id) == {DeliveryState.DELIVERED: 1, DeliveryState.FAILED: 1}


async def test_failure_of_a_claim_that_ended_changes_nothing(storage: Storage, clock: StoppedClock) -> None:
    added = await add(storage)
    await enqueue(storage)
    old = await claimed(storage, added.id)
    clock.us += LEASE_US
    new = await claimed(storage, added.id)
    assert not await fail(storage, old) and (await found(storage, new)).state is DeliveryState.WAITING
    assert await fail(storage, new, clock.us + 7)
    waiting = await found(storage, new)
    assert (waiting.next_at_us, waiting.error, waiting.status_code) == (clock.us + 7, "refused", 500)
    async with storage.writing() as unit:  # the first one arrived after all
        await unit.webhooks.delivered(old, 200, clock.us)
    assert not await fail(storage, new) and (await found(storage, new)).state is DeliveryState.DELIVERED


async def test_disabled_endpoint_is_not_due_and_what_waited_can_be_replayed(
    storage: Storage, clock: StoppedClock
) -> None:
    added = await add(storage)
    await enqueue(storage)
    off = replace(added, status=EndpointStatus.DISABLED)
    async with storage.writing() as unit:
        await unit.webhooks.update(off)
    store = storage.reading().webhooks
    assert await store.due(clock.us) == [] and await claim(storage, added.id) is None
    assert await store.overdue(clock.us + 1) == 0
    async with storage.writing() as unit:
        assert await unit.webhooks.give_up_waiting(added.id, "disabled", clock.us) == 1
        assert await unit.webhooks.replay_failed(None, 0, clock.us) == 0, "it is still disabled"
        await unit.webhooks.update(added)
        assert await unit.webhooks.replay_failed(added.id, clock.us + 1, clock.us) == 0
        assert await unit.webhooks.replay_failed(added.id + 1, 0, clock.us) == 0
        assert await unit.webhooks.replay_failed(added.id, clock.us, clock.us) == 1
    assert await store.due(clock.us) == [added.id] and await store.overdue(clock.us + 1) == 1


async def test_replayed_delivery_begins_anew(storage: Storage, clock: StoppedClock) -> None:
    added = await add(storage)
    await enqueue(storage)
    first = await claimed(storage, added.id)
    await fail(storage, first)
    clock.us += 9
    async with storage.writing() as unit:
        await unit.webhooks.replay(first.id, clock.us)
    again = await claimed(storage, added.id)
    assert (again.attempts, again.earlier_attempts, again.began_at_us) == (2, 1, clock.us)


async def test_secret_is_replaced_only_where_it_is_as_before(storage: Storage) -> None:
    added = await add(storage)
    async with storage.writing() as unit:
        await unit.webhooks.update(replace(added, sealed_old_secret=b"old", old_secret_until_us=9))
        assert await unit.webhooks.reseal(added.id, b"old", b"old anew")
        assert await unit.webhooks.reseal(added.id, added.sealed_secret, b"anew")
        assert not await unit.webhooks.reseal(added.id, b"old", b"no")
    stored = await storage.reading().webhooks.get(added.id)
    assert stored is not None
    assert (stored.sealed_secret, stored.sealed_old_secret, stored.old_secret_until_us) == (b"anew", b"old anew", 9)


async def test_purge_deletes_what_ended_before_and_removal_deletes_all_of_the_endpoint(
    storage: Storage, clock: StoppedClock
) -> None:
    added, other = await add(storage), await add(storage, "whk_b")
    await enqueue(storage)
    ended = await claimed(storage, added.id)
    await fail(storage, ended)
    clock.us += 1
    async with storage.writing() as unit:
        assert await unit.webhooks.purge(clock.us - 1) == 0
        assert await unit.webhooks.purge(clock.us) == 1
    assert (await storage.reading().webhooks.event(ended.event_id)).public_id == "evt_a", "the other one waits for it"
    async with storage.writing() as unit:
        await unit.webhooks.remove(other.id)
    store = storage.reading().webhooks
    assert await store.waiting() == 0 and [each.id for each in await store.list()] == [added.id]
