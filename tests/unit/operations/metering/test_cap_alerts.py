"""Who gets which message about a cap, and how often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement, post
from support.listening import heard, listen
from support.organisation import join

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.jobs import budget_alerts
from softix_proxy.operations.access import limit_changes
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.operations.metering import cap_alerts
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

TERMS = AskedTerms(alerts="30,100")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield database
    await database.close()


@pytest.fixture
async def storage(database: Database) -> SqliteStorage:
    storage = SqliteStorage(database)
    for role in OrganisationRole:
        await join(storage, role.value, role)
    return storage


def spend(database: Database, number: int, charge_pico: int, at_us: int = NOW_US) -> None:
    connection = database.connect()
    settlement = make_settlement(make_intent(number, 0, hold_pico=charge_pico), charge_pico=charge_pico)
    post(connection, [settlement], at_us)
    connection.close()


async def test_managers_and_endpoints_are_told_once_of_each_share_of_a_cap(
    storage: SqliteStorage, database: Database
) -> None:
    await listen(storage)
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("lab/*", {"day": 1000}, TERMS))
    told = []
    for number, charge_pico in enumerate((299, 1, 400, 300)):
        spend(database, number + 1, charge_pico)
        told.append(await budget_alerts.look(storage))
    assert told == [0, 2, 0, 2] and await budget_alerts.look(storage) == 0
    queued = await storage.reading().outbox.list(None, 99)
    assert {each.notice.email for each in queued} == {"admin@example.org", "owner@example.org"}
    assert {each.notice.kind for each in queued} == {NoticeKind.CAP_SHARE}
    assert {each.notice.values["percent"] for each in queued} == {"30 %", "100 %"}
    assert dict(queued[0].notice.values) | {"percent": ""} == {
        "organisation": "ada",
        "key": "ci (sx_live_aaaa…)",
        "models": "lab/*",
        "percent": "",
        "limit": "less than $0.01",
        "period": "this day",
    }
    events = await heard(storage)
    assert [(kind, data["percent"]) for kind, data in events] == [(EventKind.CAP_SHARE, 30), (EventKind.CAP_SHARE, 100)]
    assert events[0][1] == {
        "organisation": "usr_ada",
        "organisation_name": "ada",
        "key": "key_ada",
        "key_name": "ci",
        "models": "lab/*",
        "percent": 30,
        "cap_usd": "0.000000001",
        "period": "day",
        "period_began_at": "2027-01-15T00:00:00.000000Z",
    }


async def test_cap_of_a_user_is_told_without_a_key_and_anew_in_the_next_period(
    storage: SqliteStorage, database: Database
) -> None:
    await listen(storage)
    await limit_changes.set_of_user(storage, "ada", AskedLimits("", {"day": 1000, "total": 10_000}, TERMS))
    spend(database, 1, 300)
    spend(database, 2, 300, NOW_US + DAY_US)
    assert await cap_alerts.tell(storage) == 4
    assert all("key" not in data for _, data in await heard(storage))


async def test_cap_that_is_set_after_the_spending_tells_of_what_it_has_reached(
    storage: SqliteStorage, database: Database
) -> None:
    spend(database, 1, 1000)
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("", {"day": 1000}, TERMS))
    assert await cap_alerts.tell(storage) == 2, "the highest share that is reached"
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("", {"month": 1000}))
    assert await cap_alerts.tell(storage) == 0, "a cap without alerts tells nobody"
