from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault

RESET = Notice(NoticeKind.RESET_PASSWORD, "ada@example.org", links={ACTION: "/reset?token=s3cret"}, account_id=7)
RECEIPT = Notice(NoticeKind.RECEIPT, "ada@example.org", account_id=7)


def new_vault(*older: MasterKey) -> tuple[MasterVault, MasterKey]:
    master = MasterKey(secrets.token_bytes(32))
    return MasterVault(master, secrets.token_bytes(32), KeyRing([master, *older])), master


@pytest.fixture
def vault() -> MasterVault:
    return new_vault()[0]


async def added(books: SqliteStorage, vault: MasterVault | None, notice: Notice) -> QueuedNotice:
    async with books.writing() as unit:
        assert await outbox.enqueue(unit, vault, notice)
    [queued] = await outbox.list_all(books, limit=1)
    return queued


async def given_up(books: SqliteStorage, queued: QueuedNotice) -> None:
    async with books.writing() as unit:
        [claimed] = await unit.outbox.claim(unit.clock.now_us(), unit.clock.now_us() + 1, 1)
        await unit.outbox.failed(claimed, None, "recipient_refused", unit.clock.now_us())


async def test_links_in_the_outbox_are_sealed_and_open_for_this_message_only(
    books: SqliteStorage, vault: MasterVault, tmp_path: Path
) -> None:
    queued = await added(books, vault, RESET)
    assert outbox.open_links(vault, queued) == RESET.links
    for file in tmp_path.iterdir():
        assert b"s3cret" not in file.read_bytes()
    moved = QueuedNotice(
        queued.id,
        queued.public_id,
        Notice(NoticeKind.RESET_PASSWORD, "eve@example.org"),
        queued.sealed_links,
        NoticeState.WAITING,
        0,
        0,
        None,
        0,
        None,
    )
    with pytest.raises(FailureError):
        outbox.open_links(vault, moved)


async def test_message_shows_neither_address_nor_values_nor_links_in_its_repr(
    books: SqliteStorage, vault: MasterVault
) -> None:
    queued = await added(books, vault, Notice(NoticeKind.ABUSE, "ada@example.org", {"text": "private"}, {ACTION: "/x"}))
    assert not any(word in repr(queued) for word in ("ada@", "private", "/x"))


async def test_message_without_links_needs_no_vault(books: SqliteStorage) -> None:
    queued = await added(books, None, RECEIPT)
    assert queued.sealed_links is None
    async with books.writing() as unit:
        with pytest.raises(ValueError, match="no vault"):
            await outbox.enqueue(unit, None, RESET)


async def test_kind_that_a_person_switched_off_is_not_added(books: SqliteStorage, vault: MasterVault) -> None:
    async with books.writing() as unit:
        await unit.notice_preferences.mute(7, frozenset(NoticeKind))
        assert not await outbox.enqueue(unit, vault, RECEIPT)
        assert await outbox.enqueue(unit, vault, RESET), "what was asked for is sent all the same"


@pytest.mark.parametrize(
    "address",
    ["ada@example.org,eve@example.org", "ada@example.org\r\nBcc: eve@example.org", "<script>@example.org", "", "ada"],
)
async def test_address_that_is_not_one_plain_address_is_refused_without_being_quoted(
    books: SqliteStorage, address: str
) -> None:
    async with books.writing() as unit:
        with pytest.raises(BadInputError) as refused:
            await outbox.enqueue(unit, None, Notice(NoticeKind.TEST, address))
    assert not address or address not in str(refused.value)


async def test_message_that_was_given_up_can_be_retried_and_no_other(books: SqliteStorage, vault: MasterVault) -> None:
    queued = await added(books, vault, RESET)
    with pytest.raises(ConflictError, match="is waiting"):
        await outbox.retry(books, queued.public_id)
    await given_up(books, queued)
    assert (await outbox.retry(books, queued.public_id)).state is NoticeState.WAITING
    with pytest.raises(NotFoundError):
        await outbox.retry(books, "msg_unknown")


async def test_purge_keeps_what_ended_within_the_days(
    books: SqliteStorage, vault: MasterVault, stopped_clock: StoppedClock
) -> None:
    await given_up(books, await added(books, vault, RESET))
    stopped_clock.us += 32 * DAY_US
    assert await outbox.purge(books, 32) == 0
    stopped_clock.us += 1
    assert await outbox.purge(books, 32) == 1


async def test_fields_of_a_message_show_no_value_and_no_link(books: SqliteStorage, vault: MasterVault) -> None:
    fields = outbox.as_fields(await added(books, vault, RESET))
    assert fields["kind"] == "reset_password" and fields["to"] == "ada@example.org" and fields["state"] == "waiting"
    assert "s3cret" not in str(fields)


async def test_links_after_a_change_of_the_master_key_open_with_the_new_one_alone(books: SqliteStorage) -> None:
    old, old_key = new_vault()
    queued = await added(books, old, RESET)
    both, new_key = new_vault(old_key)
    assert [each.id for each in await outbox.outstanding(books.reading(), both)] == [queued.id]
    assert await outbox.rewrap(books, both) == 1 and await outbox.rewrap(books, both) == 0
    alone = MasterVault(new_key, secrets.token_bytes(32), KeyRing([new_key]))
    [queued] = await outbox.list_all(books, limit=1)
    assert outbox.open_links(alone, queued) == RESET.links


async def test_links_that_do_not_open_do_not_stop_a_change_of_the_master_key(books: SqliteStorage) -> None:
    await added(books, new_vault()[0], RESET)
    assert await outbox.rewrap(books, new_vault()[0]) == 0
