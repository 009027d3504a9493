from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database
from support.listening import heard, listen

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.operations.notices import event_conditions
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

DEFAULT_PICO = 5 * USD
ADA = {"organisation": "usr_ada", "organisation_name": "ada"}
Run = Callable[[str], None]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def database(tmp_path: Path, clock: StoppedClock) -> Database:
    """ada and bob have a key each, which has spent something, and no members."""
    made = make_database(tmp_path, clock)
    connection = made.connect()
    for key_id in (1, 2):
        connection.execute(
            "INSERT INTO key_states (key_id, spent_at_us, spent_day_pico, spent_week_pico, spent_month_pico,"
            f" spent_total_pico) VALUES ({key_id}, {clock.us}, {USD}, {USD}, {USD}, {USD})"
        )
    connection.close()
    return made


@pytest.fixture
async def storage(database: Database) -> AsyncIterator[SqliteStorage]:
    await database.open()
    try:
        yield SqliteStorage(database)
    finally:
        await database.close()


@pytest.fixture
def run(database: Database) -> Run:
    def run(statement: str) -> None:
        connection = database.connect()
        connection.execute(statement)
        connection.close()

    return run


def balance(run: Run, pico: int, user_id: int = 1) -> None:
    run(f"UPDATE wallets SET posted_pico = {pico} WHERE user_id = {user_id}")


async def check(storage: SqliteStorage) -> int:
    return await event_conditions.check(storage, DEFAULT_PICO)


async def test_low_balance_is_told_once_also_of_an_organisation_without_members(
    storage: SqliteStorage, run: Run
) -> None:
    await listen(storage)
    balance(run, DEFAULT_PICO + 1)
    assert await check(storage) == 0
    for pico in (DEFAULT_PICO, -USD):
        balance(run, pico)
        await check(storage)
    told = {**ADA, "balance_usd": "5.00", "threshold_usd": "5.00"}
    assert await heard(storage) == [(EventKind.BALANCE_LOW, told)]


async def test_low_balance_is_told_anew_after_it_rose_but_once_a_day(
    storage: SqliteStorage, run: Run, clock: StoppedClock
) -> None:
    await listen(storage)
    for day in range(2):
        for _ in range(3):
            balance(run, 4 * USD)
            await check(storage)
            balance(run, 6 * USD)
            await check(storage)
        assert len(await heard(storage)) == day + 1
        clock.us += DAY_US


async def test_low_balance_goes_to_its_own_organisation_and_to_those_who_want_it(
    storage: SqliteStorage, run: Run
) -> None:
    bob, others = await listen(storage, user_id=2), await listen(storage, EventKind.KEY_CREATED)
    balance(run, USD)
    assert await check(storage) == 0
    balance(run, USD, 2)
    assert await check(storage) == 1
    assert len(await heard(storage, bob.id)) == 1 and await heard(storage, others.id) == []
    whole = await listen(storage)
    assert await check(storage) == 1, "what nobody heard before is told to who listens now"
    assert [data["organisation"] for _, data in await heard(storage, whole.id)] == ["usr_ada"]


async def test_no_balance_is_low_if_the_setting_is_zero(storage: SqliteStorage, run: Run) -> None:
    await listen(storage)
    balance(run, -USD)
    assert await event_conditions.check(storage, 0) == 0


async def test_reached_cap_is_told_once_for_its_period(storage: SqliteStorage, run: Run) -> None:
    await listen(storage)
    run(f"UPDATE keys SET cap_pico = {USD}, cap_period = 'total' WHERE id = 1")
    run(f"UPDATE keys SET cap_pico = {USD}, cap_period = 'month' WHERE id = 2")
    for _ in range(2):
        await check(storage)
    first, second = await heard(storage)
    key = {"key": "key_ada", "key_name": "ci", "cap_usd": "1.00", "period": "total"}
    assert {kind for kind, _ in (first, second)} == {EventKind.CAP_REACHED}
    by_key = {data["key"]: data for _, data in (first, second)}
    assert by_key["key_ada"] == {**ADA, **key}
    assert by_key["key_bob"]["period_began_at"] == "2027-01-01T00:00:00.000000Z"


def stats(*, is_open: bool = True) -> TargetStats:
    breaker = Breaker(failures=5, open_until_us=NOW_US + 1, pauses=1) if is_open else Breaker()
    return TargetStats(1, breaker, last_error="provider_unreachable")


async def report(storage: SqliteStorage, slot: int, told: TargetStats) -> int:
    async with storage.writing() as unit:
        await unit.routes.report(slot, [told])
        return await event_conditions.note_providers(unit)


async def test_failing_provider_is_told_once_whichever_process_reports_it_and_so_is_its_recovery(
    storage: SqliteStorage,
) -> None:
    await listen(storage)
    lab = {"provider": "prv_lab", "provider_name": "lab"}
    assert [await report(storage, slot, stats()) for slot in (0, 1, 0)] == [1, 0, 0]
    assert await report(storage, 0, stats(is_open=False)) == 0, "it fails for the other one"
    assert await report(storage, 1, stats(is_open=False)) == 1
    failing = (EventKind.PROVIDER_FAILING, {**lab, "models": ["llama"], "error": "provider_unreachable"})
    assert await heard(storage) == [failing, (EventKind.PROVIDER_RECOVERED, lab)]
    assert await report(storage, 1, stats()) == 1, "it is told anew"


async def test_report_of_a_dead_process_does_not_keep_a_provider_failing(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    await listen(storage)
    await report(storage, 0, stats())
    clock.us += 600 * SECOND_US
    assert await report(storage, 1, stats(is_open=False)) == 1


async def test_failing_provider_is_not_noted_while_nobody_listens(storage: SqliteStorage) -> None:
    assert await report(storage, 0, stats()) == 0
    await listen(storage, EventKind.PROVIDER_FAILING)
    assert await report(storage, 0, stats()) == 1
