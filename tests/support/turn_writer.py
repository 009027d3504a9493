"""One program that writes to a database for some seconds, whose disk takes 4 ms to sync; prints how long it waited.

    python turn_writer.py <database> <number> daemon|cli <seconds>

Begins when a line comes on standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.books import make_intent, make_settlement

from softix_proxy.domain.clock import SystemClock
from softix_proxy.storage import engine_sqlite, hot_path
from softix_proxy.storage.database import Database

SYNC_S = 0.004
CLIENTS = 8
PAUSE_S = 0.02
"""Between two commands."""


class Slow(engine_sqlite.SqliteConnection):
    def execute(self, statement: str, values: Any = None, /) -> Any:
        if statement == "COMMIT":
            time.sleep(SYNC_S)
        return super().execute(statement, values)


async def timed(waits: list[float], act: Callable[[], Awaitable[object]]) -> None:
    began = time.perf_counter()
    await act()
    waits.append(time.perf_counter() - began)


async def serve(database: Database, number: int, until: float) -> list[float]:
    """As a daemon does: clients without a pause, each admitted, then settled."""
    waits: list[float] = []
    [revision] = await database.session.one("SELECT value FROM directory_revision") or ()
    ids = count(number * 1_000_000_000)

    async def client(journal: hot_path.SqliteJournal) -> None:
        while time.time() < until:
            intent = make_intent(next(ids), revision, hold_pico=1)
            await timed(waits, lambda intent=intent: journal.admit(intent))  # type: ignore[misc]
            await timed(waits, lambda intent=intent: journal.settle(make_settlement(intent, charge_pico=1)))  # type: ignore[misc]

    async with hot_path.opened(database, database.clock) as journal:
        await asyncio.gather(*(client(journal) for _ in range(CLIENTS)))
    return waits


async def command(database: Database, number: int, until: float) -> list[float]:
    """As an operator's script does: one short transaction after the other."""
    waits: list[float] = []

    async def write() -> None:
        async with database.transaction() as session:
            await session.run("INSERT OR REPLACE INTO instance VALUES (?, x'00')", f"n{number}")

    while time.time() < until:
        await timed(waits, write)
        await asyncio.sleep(PAUSE_S)
    return waits


async def main(path: str, number: str, kind: str, seconds: str) -> None:
    engine_sqlite.SqliteConnection = Slow  # type: ignore[misc]
    database = await Database(Path(path), SystemClock(), busy_timeout_ms=30_000).open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    waits = sorted(await (serve if kind == "daemon" else command)(database, int(number), time.time() + float(seconds)))
    await database.close()
    print(json.dumps({"writes": len(waits), "p99_ms": 1000 * waits[int(len(waits) * 0.99)]}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
