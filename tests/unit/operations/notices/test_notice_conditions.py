from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.books import USD, StoppedClock
from support.members import join

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.notices import notice_conditions, notice_preferences, outbox
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

DEFAULT_PICO = 5 * USD
Run = Callable[[str], None]


@pytest.fixture
def run(books: SqliteStorage, ada: User, tmp_path: Path, stopped_clock: StoppedClock) -> Run:
    """Changes the books by hand, as requests do that are not made here. ada has a key that has spent something."""

    def run(statement: str) -> None:
        connection = Database(tmp_path / "softix.db", stopped_clock).connect()
        connection.execute(statement)
        connection.close()

    run(
        "INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us)"
        f" VALUES (1, 'key_ada', {ada.id}, 'ci', 'sx_live_aaaa', x'01', 1)"
    )
    run(
        "INSERT INTO key_states (key_id, spent_at_us, spent_day_pico, spent_week_pico, spent_month_pico,"
        f" spent_total_pico) VALUES (1, {stopped_clock.us}, {USD}, {USD}, {USD}, {USD})"
    )
    return run


def balance(run: Run, pico: int) -> None:
    run(f"UPDATE wallets SET posted_pico = {pico}")


async def told(books: SqliteStorage, kind: NoticeKind = NoticeKind.LOW_BALANCE) -> list[tuple[str, str]]:
    found = [each.notice for each in await outbox.list_all(books, limit=100) if each.notice.kind is kind]
    shown = "threshold" if kind is NoticeKind.LOW_BALANCE else "cap"
    return [(notice.email.partition("@")[0], notice.values[shown]) for notice in reversed(found)]


async def test_low_balance_is_told_once_to_those_who_may_pay(books: SqliteStorage, run: Run, ada: User) -> None:
    await join(books, ada.id, "ada")
    await join(books, ada.id, "bea", OrganisationRole.BILLING)
    await join(books, ada.id, "max", OrganisationRole.MEMBER)
    balance(run, DEFAULT_PICO + 1)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 0
    balance(run, DEFAULT_PICO)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 2
    balance(run, -USD)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 0
    assert await told(books) == [("ada", "$5.00"), ("bea", "$5.00")]


async def test_low_balance_is_told_anew_after_it_rose_but_once_a_day(
    books: SqliteStorage, run: Run, ada: User, stopped_clock: StoppedClock
) -> None:
    await join(books, ada.id, "ada")
    for day in range(2):
        for _ in range(3):
            balance(run, 4 * USD)
            await notice_conditions.check(books, DEFAULT_PICO)
            balance(run, 6 * USD)
            await notice_conditions.check(books, DEFAULT_PICO)
        assert len(await told(books)) == day + 1
        stopped_clock.us += DAY_US


async def test_low_balance_at_thresholds_of_ones_own_is_told_for_each_and_for_no_other(
    books: SqliteStorage, run: Run, ada: User
) -> None:
    viewer = await join(books, ada.id, "vi", OrganisationRole.VIEWER)
    await notice_preferences.choose(books, viewer.id, [], {ada.id: [20 * USD, 10 * USD, 0]})
    for pico in (25 * USD, 20 * USD, 15 * USD, 4 * USD, USD, 0, -USD):
        balance(run, pico)
        await notice_conditions.check(books, DEFAULT_PICO)
    assert await told(books) == [("vi", "$20.00"), ("vi", "$10.00"), ("vi", "$0.00")]


async def test_low_balance_that_passes_several_thresholds_at_once_is_one_message(
    books: SqliteStorage, run: Run, ada: User
) -> None:
    owner = await join(books, ada.id, "ada")
    await notice_preferences.choose(books, owner.id, [], {ada.id: [20 * USD, 10 * USD, USD]})
    balance(run, 2 * USD)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 1
    assert await told(books) == [("ada", "$10.00")]


async def test_low_balance_is_told_to_nobody_by_default_if_the_operator_says_so(
    books: SqliteStorage, run: Run, ada: User
) -> None:
    await join(books, ada.id, "ada")
    balance(run, -USD)
    assert await notice_conditions.check(books, 0) == 0


async def test_low_balance_that_a_person_switched_off_is_not_told(books: SqliteStorage, run: Run, ada: User) -> None:
    owner = await join(books, ada.id, "ada")
    await notice_preferences.choose(books, owner.id, [NoticeKind.LOW_BALANCE], {})
    balance(run, USD)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 0


async def test_reached_cap_is_told_once_for_its_period(
    books: SqliteStorage, run: Run, ada: User, stopped_clock: StoppedClock
) -> None:
    await join(books, ada.id, "ada")
    await join(books, ada.id, "bea", OrganisationRole.BILLING)
    balance(run, 100 * USD)
    run(f"UPDATE keys SET cap_pico = {USD}, cap_period = 'day' WHERE id = 1")
    assert await notice_conditions.check(books, 0) == 1
    assert await notice_conditions.check(books, 0) == 0
    stopped_clock.us += DAY_US
    assert await notice_conditions.check(books, 0) == 0, "nothing is spent on the new day"
    run(f"UPDATE key_states SET spent_at_us = {stopped_clock.us}, spent_day_pico = {USD}")
    assert await notice_conditions.check(books, 0) == 1
    run(f"UPDATE keys SET cap_pico = {2 * USD} WHERE id = 1")
    assert await notice_conditions.check(books, 0) == 0
    assert await told(books, NoticeKind.CAP_REACHED) == [("ada", "$1.00")] * 2


async def test_check_writes_nothing_if_there_is_nothing_new(
    books: SqliteStorage, run: Run, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await join(books, ada.id, "ada")
    balance(run, USD)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 1
    monkeypatch.setattr(books, "writing", None)
    assert await notice_conditions.check(books, DEFAULT_PICO) == 0
