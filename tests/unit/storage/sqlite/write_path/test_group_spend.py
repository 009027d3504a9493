"""What a key spent in each period, from one group of requests to the next: its own column, and its own cap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.access.keys import KeyLimits, Spend
from softix_proxy.domain.core.clock import CapPeriod, parse_instant
from softix_proxy.domain.metering.admission import Admitted
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

SPENT = (("2026-12-01T12:00:00Z", 1), ("2027-01-05T12:00:00Z", 20), ("2027-01-13T12:00:00Z", 300), (None, 4000))
"""When key 1 was charged, and how much: an earlier month, an earlier week, an earlier day of the week, and now."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """By one group for each charge, so that every one loads what the one before has saved."""
    database = await make_database(tmp_path).open()
    connection = database.connect()
    for number, (when, charge_pico) in enumerate(SPENT, 1):
        intent = make_intent(number, revision(connection))
        group = CommitGroup(connection, 0, NOW_US if when is None else parse_instant(when))
        group.load([intent])
        group.admit([intent])
        group.settle([make_settlement(intent, charge_pico=charge_pico)])
        group.save()
    connection.close()
    yield database
    await database.close()


async def test_spend_of_each_period_is_its_own(database: Database) -> None:
    found = await SqliteStorage(database).reading().keys.spend(1)
    assert found == Spend(day_pico=4000, week_pico=4300, month_pico=4320, total_pico=4321)


async def test_spend_of_each_period_has_its_own_column(database: Database) -> None:
    connection = database.connect()
    columns = "spent_day_pico, spent_week_pico, spent_month_pico, spent_total_pico"
    assert connection.execute(f"SELECT {columns} FROM key_states").fetchall() == [(4000, 4300, 4320, 4321)]
    connection.close()


@pytest.mark.parametrize(("period", "spent_pico"), [("day", 4000), ("week", 4300), ("month", 4320), ("total", 4321)])
async def test_cap_of_a_period_counts_what_was_spent_in_it(
    database: Database, period: CapPeriod, spent_pico: int
) -> None:
    connection = database.connect()
    for room_pico, admitted in ((9, False), (10, True)):
        limits = KeyLimits(cap_pico=spent_pico + room_pico, cap_period=period)
        intent = make_intent(9, revision(connection), hold_pico=10, limits=limits)
        group = CommitGroup(connection, 0, NOW_US)
        group.load([intent])
        [decision] = group.admit([intent])
        assert isinstance(decision, Admitted) is admitted
    connection.close()
