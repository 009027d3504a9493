"""A year of books: money in, usage at odd prices by hostile names, adjustments, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from support.books import USD, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.clock import DAY_US, SECOND_US, parse_instant
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.usage import Span, UsageSource
from softix_proxy.operations import balance
from softix_proxy.operations.corrections import Corrections
from softix_proxy.storage.database import Database
from softix_proxy.storage.storage import SqliteStorage

EVIL = 'a:b  c;=x "q", (é)\n| \\🦊'
FORMULA = "=1+2"
NAMES = (EVIL, FORMULA)
MONTHS = (*(f"2026-{month:02d}-01" for month in range(1, 13)), "2027-01-01")
_RENAMED = "UPDATE users SET name = ? WHERE id = ?"
_SECOND_MODEL = """
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us) VALUES
  (2, 'prv_old', '@old;(x) "y"', 'demo', '', 'cancel', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES
  (2, 'meta/l:[2020-01-01] ,70b', 2, 'm', 1);
"""


class Year(NamedTuple):
    database: Database
    storage: SqliteStorage
    clock: StoppedClock

    async def pico(self, account: str) -> int:
        """What `softix ledger accounts` says."""
        found = await self.storage.reading().ledger.accounts()
        return next(one.balance_pico for one in found if one.name == account)


def month(number: int) -> Span:
    """From 0 on."""
    return Span(parse_instant(MONTHS[number]), parse_instant(MONTHS[number + 1]))


WHOLE_YEAR = Span(month(0).from_us, month(11).to_us)


async def make_year(folder: Path, *, months: int = 12, requests: int = 5, names: Sequence[str] = NAMES) -> Year:
    """Each month: a top-up of both, requests of both on several days, and now and then something put right."""
    clock = StoppedClock(parse_instant("2025-12-30"))
    database = make_database(folder, clock)
    connection = database.connect()
    connection.execute(_SECOND_MODEL)
    for number, name in enumerate(names, 1):
        connection.execute(_RENAMED, (name, number))
    await database.open()
    storage, random, number = SqliteStorage(database), Random(7), 0
    for place in range(months):
        clock.us = month(place).from_us + 3600 * SECOND_US
        for user in ("usr_ada", "usr_bob"):
            note, reference = f"paid; =1+1 | {place}", f"pi_(){user} {place};"
            await balance.add(storage, user, 5 * USD + place * 10**10, note=note, reference=reference)
        asked: Sequence[int] = range(number + 1, number + 1 + requests)
        number += requests
        post(connection, [_settled(one, random) for one in asked[:-1]], clock.us + 9 * DAY_US)
        post(connection, [_settled(one, random) for one in asked[-1:]], month(place).to_us - 1)
        clock.us = month(place).from_us + 20 * DAY_US
        if place % 3 == 1:
            await balance.set_to(storage, "usr_bob", 7 * USD + place, note="good will")
            charge_pico = random.randrange(USD // 50)
            await Corrections(storage, "was wrong").set_charge(format_request_id(asked[0]), charge_pico)
    connection.close()
    return Year(database, storage, clock)


def _settled(number: int, random: Random):  # type: ignore[no-untyped-def]
    intent = make_intent(number, 0, user=1 + number % 2, model_id=1 + number % 2, provider_id=1 + number % 2)
    failed = number % 7 == 0
    charge_pico = 0 if failed else random.randrange(USD // 30)
    tokens = {"input_tokens": random.randrange(9000), "output_tokens": random.randrange(900)}
    told = {"meters": tokens, "cost_pico": charge_pico * 9 // 10}
    if failed:
        told = {
            "meters": {},
            "cost_pico": 17,
            "status_code": 502,
            "error": "provider_broke_off",
            "source": UsageSource.NONE,
        }
    return make_settlement(intent, charge_pico=charge_pico, **told)
