"""Setting, listing, recounting and removing budgets. What admission makes of them is tested with the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post
from support.organisation import join, own, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.metering.budgets import BudgetAlert
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.metering import budgets
from softix_proxy.storage.sqlite.unit import SqliteStorage

TODAY = calendar("UTC").at(NOW_US)


@pytest.fixture
async def used(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """Ada's key is of the project bot and of alan, and spent 600 yesterday and 300 today."""
    clock = StoppedClock()
    database = await make_database(tmp_path, clock).open()
    storage = SqliteStorage(database)
    bot, alan = await project(storage, "bot"), await join(storage, "alan", OrganisationRole.MEMBER)
    await own(storage, 1, account_id=alan.account_id, project_id=bot.id)
    connection = database.connect()
    for number, charge_pico, at_us in ((1, 600, NOW_US), (2, 300, NOW_US + DAY_US)):
        post(connection, [make_settlement(make_intent(number, 0), charge_pico=charge_pico)], at_us)
    connection.close()
    clock.us = NOW_US + DAY_US + 1
    yield storage
    await database.close()


async def test_new_budget_counts_what_its_period_has_seen(used: SqliteStorage) -> None:
    day = await budgets.set_to(used, "ada", 1000, "day", OPERATOR, project="bot")
    week = await budgets.set_to(used, "ada", 1000, "week", OPERATOR, member="alan@example.org")
    assert (day.spent_pico, day.left_pico, day.percent) == (300, 700, 30)
    assert (week.spent_pico, week.left_pico, week.percent) == (900, 100, 90)
    assert day.ends_at_us == TODAY.end_us + DAY_US
    assert await budgets.list_all(used, "ada", OPERATOR) == [day, week]
    fields = budgets.as_fields(week)
    assert (fields["member"], fields["project"], fields["name"]) == ("acc_alan", None, "Alan")
    async with used.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()


async def test_budget_set_again_changes_its_amount_and_nothing_else(used: SqliteStorage) -> None:
    first = await budgets.set_to(used, "ada", 1000, "day", OPERATOR, project="bot")
    second = await budgets.set_to(used, "ada", 200, "day", OPERATOR, project="prj_bot")
    assert second.budget.public_id == first.budget.public_id and second.budget.amount_pico == 200
    assert (second.spent_pico, second.left_pico, second.percent) == (300, 0, 150)
    assert len(await budgets.list_all(used, "ada", OPERATOR)) == 1


async def test_new_amount_that_is_reached_already_is_noted(used: SqliteStorage) -> None:
    standing = await budgets.set_to(used, "ada", 375, "day", OPERATOR, project="bot")
    start_us = TODAY.day_us + DAY_US
    assert await used.reading().budgets.untold(9) == [
        BudgetAlert(standing.budget.id, start_us, percent, NOW_US + DAY_US + 1) for percent in (50, 80)
    ]


async def test_budget_of_nothing_is_used_up(used: SqliteStorage) -> None:
    assert (await budgets.set_to(used, "ada", 0, "day", OPERATOR, project="bot")).percent == 100


async def test_posting_between_the_count_and_the_change_is_counted(
    used: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are counted before the write lock is taken, and what came meanwhile is added under it."""
    original = budgets._count

    async def posted_meanwhile(unit: object, budget: object) -> object:
        counted = await original(unit, budget)  # type: ignore[arg-type]
        connection = used._database.connect()
        post(connection, [make_settlement(make_intent(3, 0), charge_pico=7)], NOW_US + DAY_US + 2)
        connection.close()
        return counted

    monkeypatch.setattr(budgets, "_count", posted_meanwhile)
    assert (await budgets.set_to(used, "ada", 1000, "day", OPERATOR, project="bot")).spent_pico == 307


async def test_recount_finds_the_sum_of_the_rows_again(used: SqliteStorage) -> None:
    await budgets.set_to(used, "ada", 1000, "week", OPERATOR, project="bot")
    await used._database.session.run("UPDATE budgets SET spent_pico = 1")
    [standing] = await budgets.recount(used, "ada")
    assert standing.spent_pico == 900


@pytest.mark.parametrize("amount_pico", [-1, 2**63])
async def test_budget_with_an_impossible_amount_is_refused(used: SqliteStorage, amount_pico: int) -> None:
    with pytest.raises(BadInputError):
        await budgets.set_to(used, "ada", amount_pico, "day", OPERATOR, project="bot")


@pytest.mark.parametrize("subject", [{}, {"project": "bot", "member": "acc_alan"}])
async def test_budget_is_of_one_project_or_one_member(used: SqliteStorage, subject: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="one project or of one member"):
        await budgets.set_to(used, "ada", 1, "day", OPERATOR, **subject)


@pytest.mark.parametrize("role", [OrganisationRole.BILLING, OrganisationRole.MEMBER, OrganisationRole.VIEWER])
async def test_member_without_the_right_sees_budgets_and_changes_none(
    used: SqliteStorage, role: OrganisationRole
) -> None:
    standing = await budgets.set_to(used, "ada", 1000, "day", OPERATOR, project="bot")
    member = await join(used, "grace", role)
    assert await budgets.list_all(used, "ada", member) == [standing]
    for change in (
        budgets.set_to(used, "ada", 2000, "day", member, project="bot"),
        budgets.remove(used, "ada", standing.budget.public_id, member),
    ):
        with pytest.raises(NotFoundError):
            await change


async def test_stranger_finds_no_budget(used: SqliteStorage) -> None:
    standing = await budgets.set_to(used, "ada", 1000, "day", OPERATOR, project="bot")
    stranger = await join(used, "eve", OrganisationRole.OWNER, "usr_bob")
    for change in (
        budgets.list_all(used, "ada", stranger),
        budgets.remove(used, "ada", standing.budget.public_id, stranger),
        budgets.remove(used, "bob", standing.budget.public_id, stranger),
        budgets.set_to(used, "bob", 1, "day", stranger, project="prj_bot"),
        budgets.set_to(used, "bob", 1, "day", stranger, member="acc_alan"),
    ):
        with pytest.raises(NotFoundError):
            await change


async def test_removed_budget_limits_nothing(used: SqliteStorage) -> None:
    standing = await budgets.set_to(used, "ada", 1 * USD, "day", OPERATOR, project="bot")
    assert await budgets.remove(used, "ada", standing.budget.public_id, OPERATOR) == standing
    assert await budgets.list_all(used, "ada", OPERATOR) == []
    assert await used._database.session.all("SELECT key_id FROM key_budgets") == []
