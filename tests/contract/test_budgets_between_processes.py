"""Several programs that spend from one budget at once: together they get no more than its amount."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.books import make_database
from support.budget_racer import CHARGE_PICO, HOLD_PICO
from support.organisation import own, project
from support.process import environment

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access import caps, limit_changes
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.metering import budgets
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="runs processes on its file")

SCRIPT = Path(__file__).parents[1] / "support" / "budget_racer.py"
REQUESTS = 120
AMOUNT_PICO = 6000
PROCESSES = 3


def race(database: Path, *more: str) -> int:
    """Returns what all of them were charged for."""
    racers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(database), str(number), "1", str(REQUESTS), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for number in range(1, PROCESSES + 1)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        return sum(int(racer.communicate(timeout=60)[0]) for racer in racers)
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()


async def test_budget_of_a_month_is_not_overspent_by_processes_that_race_for_it(tmp_path: Path) -> None:
    """Each asks for twice the budget, so that every one of them is refused at the end."""
    database = await Database(make_database(tmp_path).path, SystemClock()).open()
    storage = SqliteStorage(database)
    bot = await project(storage, "bot")
    await own(storage, 1, project_id=bot.id)
    await budgets.set_to(storage, "ada", AMOUNT_PICO, "month", OPERATOR, project="bot")
    charged = race(database.path)
    [standing] = await budgets.list_all(storage, "ada", OPERATOR)
    assert charged == standing.spent_pico <= AMOUNT_PICO
    assert AMOUNT_PICO - charged < HOLD_PICO + CHARGE_PICO, "and what is left is too small for another request"
    assert standing.budget.held_pico == 0
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
    await database.close()


@pytest.mark.parametrize("part", [{"tag": "team=search"}, {"end_users": True}])
async def test_cap_of_a_part_is_not_overspent_by_processes_that_race_for_it(
    tmp_path: Path, part: dict[str, Any]
) -> None:
    database = await Database(make_database(tmp_path).path, SystemClock()).open()
    storage = SqliteStorage(database)
    await limit_changes.set_of_user(storage, "ada", AskedLimits(amounts={"month": AMOUNT_PICO}, **part))
    charged = race(database.path, "env=prod team=search", "0123456789abcdef")
    async with storage.snapshot() as unit:
        [standing] = await caps.of_user(unit, 1)
        assert (await unit.ledger.verify()).violations == ()
    assert charged == standing.spent_pico <= AMOUNT_PICO and standing.cap.held_pico == 0
    assert AMOUNT_PICO - charged < HOLD_PICO + CHARGE_PICO, "and what is left is too small for another request"
    await database.close()
