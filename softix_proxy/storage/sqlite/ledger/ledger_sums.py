"""The rules that compare sums over all rows. The rows are summed in portions.

SQLite groups in memory, so that one statement over ten million rows would take a gigabyte. Its own sums overflow at 64
bits. So portions are combined here, in Python's integers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import LedgerViolation
from softix_proxy.storage.sqlite.core.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.sqlite.metering import rollups
from softix_proxy.storage.sqlite.write_path import statements as sql

BALANCES = "a wallet's balance is the sum of its entries"
SPEND = "what a key has spent is the sum of its charges"
DAYS = "the daily sums are those of the usage rows"
PORTION_ROWS = 100_000


_ENTRIES = """
SELECT account, sum(amount >> 32), sum(amount & 4294967295) FROM (
  SELECT id, to_account AS account, amount_pico AS amount FROM transfers
  UNION ALL SELECT id, from_account, -amount_pico FROM transfers
) WHERE id > ?1 AND id <= ?2 GROUP BY account"""
_KEPT = f"""
SELECT {", ".join((*sql.DAILY_PLACE, *sql.DAILY_SUMS))} FROM usage_daily WHERE day > ?1 AND day <= ?2"""
_CHARGE = sql.DAILY_SUMS.index("charge_pico")

_DayPlace = tuple[int, int, int]
"""The day since 1970, the key and the model."""


async def _portions(session: DatabaseSession, table: str, statement: str) -> AsyncIterator[Sequence[DatabaseRow]]:
    after = -1
    upto = f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT {PORTION_ROWS})"
    while (row := await session.one(upto, after)) and row[0] is not None:
        yield await session.all(statement, after, row[0])
        after = row[0]


async def entries(session: DatabaseSession) -> Mapping[int, int]:
    """Returns what each account has by its entries, in pico-USD."""
    sums: Counter[int] = Counter()
    async for rows in _portions(session, "transfers", _ENTRIES):
        for account, upper, lower in rows:
            sums[account] += (upper << 32) + lower
    return sums


async def wrong_balances(session: DatabaseSession, sums: Mapping[int, int]) -> Sequence[LedgerViolation]:
    wallets = await session.all(
        "SELECT user_id, public_id, posted_pico FROM wallets JOIN users ON users.id = user_id ORDER BY user_id"
    )
    return [
        LedgerViolation(BALANCES, public_id, f"cached {posted_pico}, entries {sums.get(user_id, 0)} pico-USD")
        for user_id, public_id, posted_pico in wallets
        if posted_pico != sums.get(user_id, 0)
    ]


async def wrong_usage_sums(session: DatabaseSession, most: int) -> Sequence[LedgerViolation]:
    """Finds wrong days and wrong spend of keys in one pass over usage. It returns at most `most` of each."""
    found: list[LedgerViolation] = []
    charges: Counter[int] = Counter()
    open_days: dict[_DayPlace, list[int]] = {}
    checked = -1
    async for portion in rollups.portions(session, await session.calendar(), Span(0, MAX_PICO)):
        rows = await rollups.by_day(session, portion)
        for day, key_id, model_id, *sums in rows:
            known = open_days.get((day, key_id, model_id), [0] * len(sums))
            open_days[day, key_id, model_id] = [a + b for a, b in zip(known, sums, strict=True)]
            charges[key_id] += sums[_CHARGE]
        ended = max(row[0] for row in rows) - 1  # the last day may continue in the next portion
        found += (await _wrong_days(session, open_days, checked, ended))[: most - len(found)]
        checked = ended
    found += (await _wrong_days(session, open_days, checked, MAX_PICO))[: most - len(found)]
    return [*found, *(await _wrong_spend(session, charges))[:most]]


async def _wrong_days(
    session: DatabaseSession, open_days: dict[_DayPlace, list[int]], after: int, upto: int
) -> Sequence[LedgerViolation]:
    """Checks the days up to this one, and removes them from `open_days`."""
    kept: dict[_DayPlace, list[int]] = {
        (day, key_id, model_id): sums for day, key_id, model_id, *sums in await session.all(_KEPT, after, upto)
    }
    counted = {place: open_days.pop(place) for place in [place for place in open_days if place[0] <= upto]}
    return [
        LedgerViolation(DAYS, f"day {day}", f"key {key_id}, model {model_id}")
        for day, key_id, model_id in sorted(kept.keys() | counted.keys())
        if kept.get((day, key_id, model_id)) != counted.get((day, key_id, model_id))
    ]


async def _wrong_spend(session: DatabaseSession, charges: Counter[int]) -> Sequence[LedgerViolation]:
    """Checks the spend of keys: at least a key's own charges, and at most also those of the keys that it replaced."""
    found = []
    with_older: dict[int, int] = {}  # a key comes after the one it replaced, so that one is known by then
    keys = await session.all(
        "SELECT id, public_id, rotated_from, coalesce(spent_total_pico, 0) FROM keys"
        " LEFT JOIN key_states ON key_id = id ORDER BY id"
    )
    for key_id, public_id, rotated_from, spent_pico in keys:
        own_pico = charges.pop(key_id, 0)
        with_older[key_id] = own_pico + with_older.get(rotated_from, 0)
        if not own_pico <= spent_pico <= with_older[key_id]:
            found.append(LedgerViolation(SPEND, public_id, f"cached {spent_pico}, own charges {own_pico} pico-USD"))
    return [*found, *(LedgerViolation(SPEND, f"key {key_id}", "usage of an unknown key") for key_id in sorted(charges))]
