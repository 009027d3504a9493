"""Who gets which message about a budget, and how often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement, post
from support.listening import heard, listen
from support.organisation import join, own, person, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.organisations.organisations import OPERATOR, Membership
from softix_proxy.operations.metering import budget_alerts, budgets
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield database
    await database.close()


@pytest.fixture
async def storage(database: Database) -> SqliteStorage:
    """The project bot with 1000 a day; of its managers one is not verified."""
    storage = SqliteStorage(database)
    bot = await project(storage, "bot")
    await own(storage, 1, project_id=bot.id)
    for role in OrganisationRole:
        await join(storage, role.value, role)
    unverified = await person(storage, "late", verified=False)
    async with storage.writing() as unit:
        await unit.memberships.add(Membership(unverified.id, 1, OrganisationRole.OWNER, 1))
    await budgets.set_to(storage, "ada", 1000, "day", OPERATOR, project="bot")
    return storage


def spend(database: Database, number: int, charge_pico: int, at_us: int = NOW_US) -> None:
    connection = database.connect()
    settlement = make_settlement(make_intent(number, 0, hold_pico=charge_pico), charge_pico=charge_pico)
    post(connection, [settlement], at_us)
    connection.close()


async def told(storage: SqliteStorage) -> list[tuple[str, str]]:
    """(Address, percent) of each message, sorted."""
    queued = await storage.reading().outbox.list(None, 99)
    assert {each.notice.kind for each in queued} <= {NoticeKind.BUDGET_REACHED}
    return sorted((each.notice.email, each.notice.values["percent"]) for each in queued)


async def test_managers_are_told_once_of_each_part_of_a_budget(storage: SqliteStorage, database: Database) -> None:
    managers = ["admin@example.org", "owner@example.org"]
    expected: list[tuple[str, str]] = []
    for number, (charge_pico, percent) in enumerate(((499, ""), (1, "50 %"), (299, ""), (1, "80 %"), (200, "100 %"))):
        spend(database, number + 1, charge_pico)
        expected += [(email, percent) for email in managers if percent]
        assert await budget_alerts.tell(storage) == (2 if percent else 0)
        assert await told(storage) == sorted(expected)
    assert await budget_alerts.tell(storage) == 0
    [values] = {tuple(each.notice.values.items()) for each in await storage.reading().outbox.list(None, 2)}
    assert dict(values) == {
        "organisation": "ada",
        "budget": "bot",
        "percent": "100 %",
        "limit": "less than $0.01",
        "period": "this day",
    }


async def test_parts_that_are_reached_together_are_one_message(storage: SqliteStorage, database: Database) -> None:
    spend(database, 1, 900)
    assert await budget_alerts.tell(storage) == 2
    assert {percent for _, percent in await told(storage)} == {"80 %"}


async def test_next_period_is_told_of_anew(storage: SqliteStorage, database: Database) -> None:
    spend(database, 1, 500)
    spend(database, 2, 500, NOW_US + DAY_US)
    assert await budget_alerts.tell(storage) == 4


async def test_part_reached_again_in_the_same_period_is_not_told_again(
    storage: SqliteStorage, database: Database
) -> None:
    spend(database, 1, 500)
    await budget_alerts.tell(storage)
    await budgets.set_to(storage, "ada", 2000, "day", OPERATOR, project="bot")
    spend(database, 2, 500)
    assert await budget_alerts.tell(storage) == 0
    assert len(await told(storage)) == 2


async def test_organisation_without_members_is_told_nothing_and_asked_no_more(
    storage: SqliteStorage, database: Database
) -> None:
    await database.session.run("DELETE FROM members")
    spend(database, 1, 500)
    assert await budget_alerts.tell(storage) == 0
    assert await storage.reading().budgets.untold(9) == []


async def test_endpoint_is_told_of_each_part_of_a_budget_once(storage: SqliteStorage, database: Database) -> None:
    await listen(storage)
    for number, charge_pico in enumerate((499, 1, 300)):
        spend(database, number + 1, charge_pico)
        await budget_alerts.tell(storage)
    told = await heard(storage)
    assert [(kind, data["percent"]) for kind, data in told] == [
        (EventKind.BUDGET_REACHED, 50),
        (EventKind.BUDGET_REACHED, 80),
    ]
    assert told[0][1] | {"budget": ""} == {
        "organisation": "usr_ada",
        "organisation_name": "ada",
        "budget": "",
        "budget_name": "bot",
        "percent": 50,
        "limit_usd": "0.000000001",
        "period": "day",
        "period_began_at": "2027-01-15T00:00:00.000000Z",
    }
