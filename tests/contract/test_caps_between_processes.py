"""Several programs that spend under one cap at once: together they get no more than its amount."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.books import make_database
from support.budget_racer import CHARGE_PICO, HOLD_PICO
from support.process import environment

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.operations.access import limit_changes
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="runs processes on its file")

SCRIPT = Path(__file__).parents[1] / "support" / "budget_racer.py"
REQUESTS = 120
AMOUNT_PICO = 6000
PROCESSES = 3


def race(database: Path) -> int:
    """Returns what all of them were charged for."""
    racers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(database), str(number), "1", str(REQUESTS)],
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


@pytest.mark.parametrize("models", ["", "lab/*"])
@pytest.mark.parametrize("is_of_user", [False, True])
async def test_caps_are_not_overspent_by_processes_that_race_for_them(
    tmp_path: Path, models: str, is_of_user: bool
) -> None:
    """Each asks for twice the cap, so that every one of them is refused at the end."""
    database = await Database(make_database(tmp_path).path, SystemClock()).open()
    storage = SqliteStorage(database)
    terms = AskedTerms(zone="Europe/Berlin", reset_day="15")
    asked = AskedLimits(models, {"month": AMOUNT_PICO}, terms)
    if is_of_user:
        await limit_changes.set_of_user(storage, "ada", asked)
    else:
        await limit_changes.set_of_key(storage, "key_ada", asked)
    charged = race(database.path)
    async with storage.snapshot() as unit:
        [cap] = await unit.caps.of_user(1)
        assert (await unit.ledger.verify()).violations == ()
    assert charged == cap.spent_pico <= AMOUNT_PICO and cap.held_pico == 0
    assert AMOUNT_PICO - charged < HOLD_PICO + CHARGE_PICO, "and what is left is too small for another request"
    await database.close()
