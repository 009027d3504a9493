from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.jobs.outbox import OutboxJob, SendingPolicy, pause_us
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault

MINUTE_US = 60 * SECOND_US
LEASE_US = 5 * MINUTE_US
POLICY = SendingPolicy(lease_us=LEASE_US, give_up_after_us=3 * DAY_US, keep_days=32, poll_s=0.01, server_pause_s=0.01)
LATER = DeliveryError(DeliveryFault.TEMPORARY)


class Sender:
    """Sends as it is told: an error is raised, and anything else is sent."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[tuple[str, Mapping[str, str]]] = []
        self.attempts = 0
        self.rests = 0
        self.done = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def send(self, queued: QueuedNotice, links: Mapping[str, str]) -> None:
        self.attempts += 1
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.sent.append((queued.public_id, links))
        self.done.set()

    async def rest(self) -> None:
        self.rests += 1


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def vault() -> MasterVault:
    master = MasterKey(secrets.token_bytes(32))
    return MasterVault(master, secrets.token_bytes(32), KeyRing([master]))


@pytest.fixture
async def books(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    async with opened(tmp_path, clock) as storage:
        yield storage


@asynccontextmanager
async def opened(folder: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = Database(folder / "softix.db", clock)
    database.create()
    await database.open()
    try:
        yield SqliteStorage(database)
    finally:
        await database.close()


async def add(books: SqliteStorage, vault: MasterVault, count: int = 1, links: Mapping[str, str] | None = None) -> None:
    async with books.writing() as unit:
        for _ in range(count):
            notice = Notice(NoticeKind.VERIFY_EMAIL, "ada@example.org", links=links or {})
            await outbox.enqueue(unit, vault, notice)


async def queued(books: SqliteStorage) -> QueuedNotice:
    [found] = await outbox.list_all(books, limit=2)
    return found


async def test_due_messages_are_sent_with_their_links_which_are_wiped_then(
    books: SqliteStorage, vault: MasterVault
) -> None:
    links = {ACTION: "/verify?token=abc"}
    await add(books, vault, links=links)
    sender = Sender()
    assert await OutboxJob(books, vault, sender, POLICY).send_due() == 1
    done = await queued(books)
    assert sender.sent == [(done.public_id, links)] and sender.rests == 1
    assert (done.state, done.sealed_links) == (NoticeState.SENT, None)
    assert await OutboxJob(books, vault, sender, POLICY).send_due() == 0 and sender.attempts == 1


async def test_messages_are_sent_once_each_by_several_jobs_at_once(books: SqliteStorage, vault: MasterVault) -> None:
    await add(books, vault, 20)
    sender = Sender()
    jobs = [OutboxJob(books, vault, sender, POLICY) for _ in range(4)]
    assert sum(await asyncio.gather(*(job.send_due() for job in jobs))) == 20
    assert len({name for name, _ in sender.sent}) == sender.attempts == 20


async def test_message_that_fails_is_tried_again_after_longer_and_longer_pauses(
    books: SqliteStorage, vault: MasterVault, clock: StoppedClock
) -> None:
    await add(books, vault)
    sender = Sender(LATER, LATER, LATER)
    job = OutboxJob(books, vault, sender, POLICY)
    for attempt, pause_minutes in enumerate((1, 2, 4), 1):
        await job.send_due()
        assert (await queued(books)).error == "temporary"
        clock.us += pause_minutes * MINUTE_US - 1
        await job.send_due()
        assert sender.attempts == attempt
        clock.us += 1
    assert await job.send_due() == 1
    assert (await queued(books)).state is NoticeState.SENT


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (9, 256), (10, 360), (99, 360)])
def test_pause_doubles_up_to_six_hours(attempts: int, minutes: int) -> None:
    assert pause_us(attempts) == minutes * MINUTE_US


async def test_message_that_fails_for_days_is_given_up_and_keeps_its_sealed_links(
    books: SqliteStorage, vault: MasterVault, clock: StoppedClock
) -> None:
    await add(books, vault, links={ACTION: "/verify?token=abc"})
    job = OutboxJob(books, vault, Sender(*[LATER] * 99), POLICY)
    started_us = clock.us
    while (await queued(books)).state is NoticeState.WAITING:
        await job.send_due()
        clock.us = max(clock.us + 1, (await queued(books)).next_at_us)
    ended = await queued(books)
    assert ended.state is NoticeState.GIVEN_UP and ended.error == "temporary" and ended.sealed_links is not None
    assert 3 * DAY_US <= (ended.ended_at_us or 0) - started_us < 3 * DAY_US + 6 * 60 * MINUTE_US


async def test_message_to_a_recipient_that_does_not_exist_is_given_up_at_once(
    books: SqliteStorage, vault: MasterVault, caplog: pytest.LogCaptureFixture
) -> None:
    await add(books, vault)
    with caplog.at_level(logging.DEBUG):
        sender = Sender(DeliveryError(DeliveryFault.RECIPIENT_REFUSED, permanent=True))
        await OutboxJob(books, vault, sender, POLICY).send_due()
    ended = await queued(books)
    assert (ended.state, ended.error, ended.attempts) == (NoticeState.GIVEN_UP, "recipient_refused", 1)
    [record] = [record for record in caplog.records if record.name == "softix.jobs"]
    assert record.__dict__["notice"] == ended.public_id and "ada" not in str(record.__dict__)


async def test_message_that_cannot_be_made_does_not_hold_up_the_next(books: SqliteStorage, vault: MasterVault) -> None:
    await add(books, vault, 2)
    sender = Sender(RuntimeError("ada@example.org"))
    assert await OutboxJob(books, vault, sender, POLICY).send_due() == 1
    states = {each.state: each.error for each in await outbox.list_all(books, limit=2)}
    assert states == {NoticeState.WAITING: "internal", NoticeState.SENT: None}


async def test_message_whose_links_do_not_open_is_not_sent(books: SqliteStorage, vault: MasterVault) -> None:
    await add(books, vault, links={ACTION: "/verify?token=abc"})
    other = MasterKey(secrets.token_bytes(32))
    sender = Sender()
    stranger = MasterVault(other, secrets.token_bytes(32), KeyRing([other]))
    assert await OutboxJob(books, stranger, sender, POLICY).send_due() == 0
    assert (sender.attempts, (await queued(books)).error) == (0, "links_unreadable")


async def test_failure_of_the_server_spares_the_other_messages(books: SqliteStorage, vault: MasterVault) -> None:
    await add(books, vault, 5)
    sender = Sender(DeliveryError(DeliveryFault.UNREACHABLE))
    job = OutboxJob(books, vault, sender, POLICY)
    assert await job.send_due() == 0 and sender.attempts == 1
    assert await job.send_due() == 4


async def test_message_of_a_process_that_died_is_sent_after_its_lease_with_the_same_id(
    books: SqliteStorage, vault: MasterVault, clock: StoppedClock
) -> None:
    await add(books, vault)
    async with books.writing() as unit:
        [dead] = await unit.outbox.claim(clock.us, clock.us + LEASE_US, 1)
    sender = Sender()
    job = OutboxJob(books, vault, sender, POLICY)
    assert await job.send_due() == 0
    clock.us += LEASE_US
    assert await job.send_due() == 1
    assert [name for name, _ in sender.sent] == [dead.public_id]


async def test_job_sends_what_is_added_while_it_runs_and_ends_when_it_is_stopped(
    books: SqliteStorage, vault: MasterVault
) -> None:
    sender = Sender()
    job = OutboxJob(books, vault, sender, POLICY)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(job.run())
        await add(books, vault)
        await sender.done.wait()
        job.stop()
    assert (await queued(books)).state is NoticeState.SENT


async def test_job_that_is_stopped_while_it_sends_notes_the_message_as_sent(
    books: SqliteStorage, vault: MasterVault
) -> None:
    await add(books, vault, 2)
    sender = Sender()
    sender.gate = asyncio.Event()
    job = OutboxJob(books, vault, sender, POLICY)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(job.run())
        await sender.entered.wait()
        job.stop()
        sender.gate.set()
    states = sorted(each.state.value for each in await outbox.list_all(books, limit=2))
    assert states == ["sent", "waiting"], "and takes up no other"


async def test_job_goes_on_after_a_failure_of_the_database_or_the_server(
    books: SqliteStorage, vault: MasterVault, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(books, vault)
    sender = Sender(DeliveryError(DeliveryFault.UNREACHABLE))
    job = OutboxJob(books, vault, sender, POLICY)
    reading, failures = books.reading, iter([FailureError("no disk"), RuntimeError("odd")])

    def unreliable() -> object:
        for failure in failures:
            raise failure
        return reading()

    monkeypatch.setattr(books, "reading", unreliable)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(job.run())
        await sender.entered.wait()
        while sender.attempts == 1 and not sender.sent:
            await forward(clock)
        await sender.done.wait()
        job.stop()


async def forward(clock: StoppedClock) -> None:
    """Lets the message be due, and never so late that it is given up: the database may be slow meanwhile."""
    clock.us = min(clock.us + MINUTE_US, NOW_US + DAY_US)
    await asyncio.sleep(0)


async def test_job_purges_what_ended_long_ago(books: SqliteStorage, vault: MasterVault, clock: StoppedClock) -> None:
    await add(books, vault)
    await OutboxJob(books, vault, Sender(), POLICY).send_due()
    clock.us += 32 * DAY_US + 1
    job = OutboxJob(books, vault, Sender(), POLICY)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(job.run())
        while await outbox.list_all(books, limit=1):
            await asyncio.sleep(0)
        job.stop()
