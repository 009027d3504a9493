from __future__ import annotations

import asyncio

import pytest
from support.books import StoppedClock

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.domain.ports.storage import Storage

LEASE_US = 60 * SECOND_US
RECEIPT = Notice(NoticeKind.RECEIPT, "ada@example.org", {"amount": "$25.00"}, account_id=7)


async def add(storage: Storage, name: str, notice: Notice = RECEIPT, links: bytes | None = None) -> bool:
    async with storage.writing() as unit:
        return await unit.outbox.add(notice, name, links, unit.clock.now_us())


async def claim(storage: Storage, limit: int = 10) -> list[QueuedNotice]:
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        return list(await unit.outbox.claim(now_us, now_us + LEASE_US, limit))


async def found(storage: Storage, name: str) -> QueuedNotice:
    queued = await storage.reading().outbox.find(name)
    assert queued is not None
    return queued


async def test_added_message_is_claimed_with_what_it_has(storage: Storage, clock: StoppedClock) -> None:
    assert await add(storage, "msg_a", links=b"sealed")
    assert await storage.reading().outbox.next_at_us() == clock.us
    [claimed] = await claim(storage)
    assert claimed == QueuedNotice(
        claimed.id,
        "msg_a",
        RECEIPT,
        b"sealed",
        NoticeState.WAITING,
        1,
        clock.us + LEASE_US,
        None,
        clock.us,
        None,
    )


async def test_message_whose_cause_is_known_is_not_added_again(storage: Storage) -> None:
    once = Notice(NoticeKind.LOW_BALANCE, "ada@example.org", once="low:1")
    assert await add(storage, "msg_a", once)
    assert not await add(storage, "msg_b", once)
    assert await add(storage, "msg_c") and await add(storage, "msg_d"), "without a cause all are added"
    assert len(await storage.reading().outbox.list(None, 10)) == 3


async def test_message_of_a_transaction_that_fails_does_not_exist(storage: Storage) -> None:
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            await unit.outbox.add(RECEIPT, "msg_a", None, 1)
            raise RuntimeError
    assert await storage.reading().outbox.find("msg_a") is None


async def test_claimed_message_is_not_claimed_again_until_its_lease_ends(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a")
    assert len(await claim(storage)) == 1
    assert await claim(storage) == []
    clock.us += LEASE_US - 1
    assert await claim(storage) == []
    clock.us += 1
    [again] = await claim(storage)
    assert again.attempts == 2


async def test_messages_claimed_by_many_at_once_are_claimed_once_each(storage: Storage) -> None:
    for number in range(12):
        await add(storage, f"msg_{number}")
    taken = await asyncio.gather(*(claim(storage, 3) for _ in range(8)))
    names = [each.public_id for batch in taken for each in batch]
    assert sorted(names) == sorted(f"msg_{number}" for number in range(12))


async def test_links_that_end_soon_and_alarms_are_claimed_before_all_others(
    storage: Storage, clock: StoppedClock
) -> None:
    for kind in ("invitation", "receipt", "new_sign_in", "verify_email", "key_created", "reset_password"):
        await add(storage, f"msg_{kind}", Notice(NoticeKind(kind), "ada@example.org"))
        clock.us += 1
    order = [(await claim(storage, 1))[0].notice.kind for _ in range(6)]
    assert order == ["verify_email", "reset_password", "new_sign_in", "key_created", "invitation", "receipt"]


async def test_sent_message_is_wiped_and_stays_listed(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a", links=b"sealed")
    [claimed] = await claim(storage)
    clock.us += 5
    async with storage.writing() as unit:
        await unit.outbox.sent(claimed.id, clock.us)
    sent = await found(storage, "msg_a")
    assert (sent.state, sent.sealed_links, sent.notice.values) == (NoticeState.SENT, None, {})
    assert (sent.ended_at_us, sent.error) == (clock.us, None)
    clock.us += 10 * LEASE_US
    assert await claim(storage) == []


async def test_failed_message_is_due_again_at_the_given_time(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a", links=b"sealed")
    [claimed] = await claim(storage)
    async with storage.writing() as unit:
        await unit.outbox.failed(claimed, clock.us + 5, "timed_out", clock.us)
    failed = await found(storage, "msg_a")
    assert (failed.state, failed.error, failed.next_at_us) == (NoticeState.WAITING, "timed_out", clock.us + 5)
    assert failed.sealed_links == b"sealed"
    clock.us += 5
    assert len(await claim(storage)) == 1


async def test_failure_of_an_old_claim_changes_nothing(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a")
    [old] = await claim(storage)
    clock.us += LEASE_US
    [new] = await claim(storage)
    async with storage.writing() as unit:
        await unit.outbox.failed(old, None, "timed_out", clock.us)
    assert await found(storage, "msg_a") == new


async def test_message_that_an_old_claim_has_sent_is_sent(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a")
    [old] = await claim(storage)
    clock.us += LEASE_US
    [new] = await claim(storage)
    async with storage.writing() as unit:
        await unit.outbox.sent(old.id, clock.us)
        await unit.outbox.failed(new, None, "timed_out", clock.us)
    assert (await found(storage, "msg_a")).state is NoticeState.SENT


async def test_message_that_was_given_up_waits_again_after_a_retry(storage: Storage, clock: StoppedClock) -> None:
    await add(storage, "msg_a", links=b"sealed")
    [claimed] = await claim(storage)
    async with storage.writing() as unit:
        assert not await unit.outbox.retry(claimed.id, clock.us), "it waits"
        await unit.outbox.failed(claimed, None, "recipient_refused", clock.us)
    assert await storage.reading().outbox.next_at_us() is None
    given_up = await found(storage, "msg_a")
    assert (given_up.state, given_up.ended_at_us) == (NoticeState.GIVEN_UP, clock.us)
    clock.us += 9
    async with storage.writing() as unit:
        assert await unit.outbox.retry(claimed.id, clock.us)
    again = await found(storage, "msg_a")
    assert (again.state, again.ended_at_us, again.created_at_us) == (NoticeState.WAITING, None, clock.us)
    assert again.sealed_links == b"sealed"


async def test_messages_are_counted_and_listed_by_state(storage: Storage, clock: StoppedClock) -> None:
    outbox = storage.reading().outbox
    assert await outbox.counts() == {} and await outbox.oldest_waiting_us() is None
    first_us = clock.us
    for name in ("msg_a", "msg_b", "msg_c"):
        await add(storage, name)
        clock.us += 1
    [claimed] = await claim(storage, 1)
    async with storage.writing() as unit:
        await unit.outbox.sent(claimed.id, clock.us)
    assert await outbox.counts() == {NoticeState.WAITING: 2, NoticeState.SENT: 1}
    assert await outbox.oldest_waiting_us() == first_us + 1
    assert [each.public_id for each in await outbox.list(None, 10)] == ["msg_c", "msg_b", "msg_a"]
    assert [each.public_id for each in await outbox.list(NoticeState.SENT, 10)] == ["msg_a"]
    assert len(await outbox.list(None, 2)) == 2


async def test_purge_deletes_messages_that_ended_before(storage: Storage, clock: StoppedClock) -> None:
    for name in ("msg_a", "msg_b"):
        await add(storage, name)
    [claimed] = await claim(storage, 1)
    async with storage.writing() as unit:
        await unit.outbox.sent(claimed.id, clock.us)
        assert await unit.outbox.purge(clock.us) == 0
        assert await unit.outbox.purge(clock.us + 1) == 1
    assert [each.public_id for each in await storage.reading().outbox.list(None, 10)] == ["msg_b"]


async def test_reseal_replaces_links_unless_they_changed(storage: Storage) -> None:
    await add(storage, "msg_a", links=b"old")
    await add(storage, "msg_b")
    [queued] = await storage.reading().outbox.with_links()
    async with storage.writing() as unit:
        assert not await unit.outbox.reseal(queued.id, b"other", b"new")
        assert await unit.outbox.reseal(queued.id, b"old", b"new")
    assert (await found(storage, "msg_a")).sealed_links == b"new"


async def test_forgotten_person_has_no_message_left(storage: Storage) -> None:
    await add(storage, "msg_a")
    await add(storage, "msg_b", Notice(NoticeKind.INVITATION, "ADA@example.org"))
    await add(storage, "msg_c", Notice(NoticeKind.INVITATION, "bob@example.org"))
    async with storage.writing() as unit:
        assert await unit.outbox.forget(7, "ada@example.org") == 2
    assert [each.public_id for each in await storage.reading().outbox.list(None, 10)] == ["msg_c"]


async def test_outbox_leaves_the_directory_as_it_is(storage: Storage) -> None:
    revision = (await storage.changes(0)).revision
    await add(storage, "msg_a")
    await claim(storage)
    assert (await storage.changes(0)).revision == revision
