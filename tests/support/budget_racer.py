"""One process that asks for as much as a budget gives, with several clients at once; prints what it was admitted for.

    python budget_racer.py <database> <number> <key> <requests> [<tags> [<end user>]]

Begins when a line comes on standard input.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.books import make_intent, make_settlement

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.metering.admission import Admitted
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path import journal

HOLD_PICO, CHARGE_PICO = 100, 60
CLIENTS = 8


async def main(path: str, number: str, key: str, requests: str, tags: str = "", end_user: str = "") -> None:
    database = await Database(Path(path), SystemClock(), busy_timeout_ms=30_000).open()
    [revision] = await database.session.one("SELECT value FROM directory_revision") or ()
    numbers = iter(range(int(number) * 1_000_000, int(number) * 1_000_000 + int(requests)))
    charged = 0

    async def client(opened: journal.SqliteJournal) -> None:
        nonlocal charged
        for request_id in numbers:
            intent = make_intent(request_id, revision, hold_pico=HOLD_PICO, key_id=int(key))
            intent = replace(intent, tags=tags, end_user=end_user)
            if isinstance(await opened.admit(intent), Admitted):
                await opened.settle(make_settlement(intent, charge_pico=CHARGE_PICO))
                charged += CHARGE_PICO

    async with journal.opened(database, database.clock) as opened:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(client(opened) for _ in range(CLIENTS)))
    await database.close()
    print(charged, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
