"""Reads every movement of a wallet for an export of the books, one by one or summed, in portions.

Charges and corrections are read from usage, whose amounts are those of the transfers. The ledger proves this rule.
Other kinds are read from the transfers by their index.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import REVENUE, Posting, PostingBatch
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.numbering import LAST_POSTED
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed
from softix_proxy.storage.sqlite.metering.usage_sql import NAMES

_ROWS_AT_ONCE = 4000
_SUMMED_AT_ONCE = 50_000
"""The rows that are summed in one read. A longer read would delay the WAL's checkpoint."""

_KINDS = ("top-up", "adjustment")
_OTHERS = "kind <> 'charge' AND kind"  # this is the condition of the partial index


def _tokens(names: frozenset[str]) -> str:
    return " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in names)


_IDS = " UNION ALL ".join(
    [
        "SELECT id FROM usage WHERE id > ?1 AND id < ?2",
        *(f"SELECT id FROM transfers WHERE {_OTHERS} = '{kind}' AND id > ?1 AND id < ?2" for kind in _KINDS),
    ]
)
_END = f"SELECT max(id), count(*) FROM ({_IDS} ORDER BY id LIMIT ?3)"
_FIRST = f"{_IDS} ORDER BY id LIMIT 1"

_USAGE = "u.id > ?1 AND u.id <= ?2 AND (?3 IS NULL OR u.user_id = ?3)"
_TRANSFERS = f"""{_OTHERS} IN ('top-up', 'adjustment') AND t.id > ?1 AND t.id <= ?2
  AND (?3 IS NULL OR ?3 IN (t.from_account, t.to_account))"""
_GAINED = "iif(t.from_account > 0, -t.amount_pico, t.amount_pico)"
_KIND = "iif(u.corrects_row_id IS NULL, 'charge', 'correction')"

_CHARGE = {
    "id": "u.id",
    "kind": _KIND,
    "account": f"{REVENUE}",
    "user_id": "users.public_id",
    "user_name": "users.name",
    "wallet_pico": "-u.charge_pico",
    "cost_pico": "u.cost_pico",
    "provider": "providers.name",
    "model": "models.name",
    "requests": "u.corrects_row_id IS NULL",
    "input_tokens": _tokens(INPUT_METERS),
    "output_tokens": _tokens(OUTPUT_METERS),
    "request_id": "u.request_id",
    "usage_at_us": "u.usage_at_us",
    "reference": "NULL",
    "note": "u.note",
}
_PAYMENT = {
    "id": "t.id",
    "kind": "t.kind",
    "account": "min(t.from_account, t.to_account)",
    "user_id": "users.public_id",
    "user_name": "users.name",
    "wallet_pico": _GAINED,
    "cost_pico": "0",
    "provider": "NULL",
    "model": "NULL",
    "requests": "0",
    "input_tokens": "0",
    "output_tokens": "0",
    "request_id": "NULL",
    "usage_at_us": "NULL",
    "reference": "t.reference",
    "note": "t.note",
}
"""The source of each field of a posting, in a row of usage and in a transfer."""
_POSTING = RecordMapping(Posting, *_CHARGE)
_OF_ONE = ("request_id", "usage_at_us", "reference", "note")
_ALIKE = tuple(name for name in _CHARGE if name not in ("wallet_pico", "cost_pico", *_OF_ONE))
_SUM = RecordMapping(
    Posting,
    *_ALIKE,
    wallet_pico=summed("gained"),
    cost_pico=summed("cost"),
    given=dict.fromkeys(_OF_ONE),
)


def _columns(of: Mapping[str, str], names: Iterable[str]) -> str:
    """Returns the columns under the names of the fields, in this order. The parts of a union depend on it."""
    return ", ".join(f"{of[name]} AS {name}" for name in names)


_ONE_BY_ONE = f"""
SELECT {_POSTING.select()} FROM (
  SELECT {_columns(_CHARGE, _CHARGE)} FROM usage u {NAMES} WHERE {_USAGE}
  UNION ALL
  SELECT {_columns(_PAYMENT, _CHARGE)}
  FROM transfers t JOIN users ON users.id = max(t.from_account, t.to_account) WHERE {_TRANSFERS}
) ORDER BY id"""

_CHARGES_SUMMED = {**_CHARGE, "id": "sums.last", "kind": "sums.kind"} | {
    name: f"sums.{name}" for name in ("requests", "input_tokens", "output_tokens")
}
_SUMS = f"""
SELECT {_SUM.select()} FROM (
  SELECT {_columns(_CHARGES_SUMMED, _ALIKE)}, gained_m, gained_rest, cost_m, cost_rest
  FROM (
    SELECT max(u.id) AS last, {_KIND} AS kind, u.user_id, u.provider_id, u.model_id,
      {split_sum("-u.charge_pico", "gained")}, {split_sum("u.cost_pico", "cost")},
      sum(u.corrects_row_id IS NULL) AS requests,
      sum({_tokens(INPUT_METERS)}) AS input_tokens, sum({_tokens(OUTPUT_METERS)}) AS output_tokens
    FROM usage u WHERE {_USAGE} GROUP BY 2, 3, 4, 5
  ) AS sums LEFT JOIN users ON users.id = sums.user_id LEFT JOIN providers ON providers.id = sums.provider_id
  LEFT JOIN models ON models.id = sums.model_id
  UNION ALL
  SELECT {_columns({**_PAYMENT, "id": "max(t.id)"}, _ALIKE)}, {split_sum(_GAINED, "gained")}, 0, 0
  FROM transfers t JOIN users ON users.id = max(t.from_account, t.to_account) WHERE {_TRANSFERS}
  GROUP BY t.kind, users.id
)"""


async def first(session: DatabaseSession, span: Span) -> int | None:
    row = await session.one(_FIRST, span.from_us - 1, span.to_us)
    return row[0] if row else None


async def last(session: DatabaseSession) -> int:
    [(number,)] = await session.all(LAST_POSTED)
    return int(number)


async def one_by_one(session: DatabaseSession, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
    async for rows, after, upto in _portions(session, span, _ROWS_AT_ONCE):
        yield PostingBatch(rows, _POSTING.read_all(await session.all(_ONE_BY_ONE, after, upto, user_id)))


async def sums(session: DatabaseSession, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
    async for rows, after, upto in _portions(session, span, _SUMMED_AT_ONCE):
        yield PostingBatch(rows, _SUM.read_all(await session.all(_SUMS, after, upto, user_id)))


async def _portions(session: DatabaseSession, span: Span, at_once: int) -> AsyncIterator[tuple[int, int, int]]:
    """Yields for each portion the number of its rows, the id before it, and its last id."""
    after = span.from_us - 1
    while True:
        [(upto, rows)] = await session.all(_END, after, span.to_us, at_once)
        if upto is None:
            return
        yield rows, after, upto
        after = upto
