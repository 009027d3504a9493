"""What an export of the books reads: every movement of a wallet, one by one or added up, in portions.

Charges and corrections are read from usage, whose amounts are the transfers' (a rule that the ledger proves); the
other kinds from the transfers, by their index.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.domain.ledger import REVENUE, Portion, Posting
from softix_proxy.domain.usage import INPUT_METERS, METERS, OUTPUT_METERS, Span
from softix_proxy.storage.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.numbering import LAST_POSTED
from softix_proxy.storage.usage_sql import NAMES, whole

_ROWS_AT_ONCE = 4000
_SUMMED_AT_ONCE = 50_000
"""Longer reads would hold up the WAL's checkpoint."""

_KINDS = ("top-up", "adjustment")
_OTHERS = "kind <> 'charge' AND kind"  # the words of the partial index


def _tokens(names: frozenset[str]) -> str:
    return " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in names)


def _parts(pico: str, name: str) -> str:
    """A sum in two columns, so that neither leaves 64 bits; see `whole`."""
    return f"coalesce(sum({pico}/1000000), 0) AS {name}_m, coalesce(sum({pico}%1000000), 0) AS {name}_rest"


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

_ONE_BY_ONE = f"""
SELECT u.id, {_KIND}, {REVENUE}, users.public_id, users.name, -u.charge_pico, u.cost_pico, providers.name, models.name,
  u.corrects_row_id IS NULL, {_tokens(INPUT_METERS)}, {_tokens(OUTPUT_METERS)}, u.request_id, u.usage_at_us,
  NULL, u.note
FROM usage u {NAMES} WHERE {_USAGE}
UNION ALL
SELECT t.id, t.kind, min(t.from_account, t.to_account), users.public_id, users.name, {_GAINED}, 0, NULL, NULL,
  0, 0, 0, NULL, NULL, t.reference, t.note
FROM transfers t JOIN users ON users.id = max(t.from_account, t.to_account) WHERE {_TRANSFERS}
ORDER BY 1"""

_SUMS = f"""
SELECT sums.last, sums.kind, {REVENUE}, users.public_id, users.name, gained_m, gained_rest, cost_m, cost_rest,
  providers.name, models.name, sums.requests, sums.tokens_in, sums.tokens_out
FROM (
  SELECT max(u.id) AS last, {_KIND} AS kind, u.user_id, u.provider_id, u.model_id,
    {_parts("-u.charge_pico", "gained")}, {_parts("u.cost_pico", "cost")},
    sum(u.corrects_row_id IS NULL) AS requests,
    sum({_tokens(INPUT_METERS)}) AS tokens_in, sum({_tokens(OUTPUT_METERS)}) AS tokens_out
  FROM usage u WHERE {_USAGE} GROUP BY 2, 3, 4, 5
) AS sums LEFT JOIN users ON users.id = sums.user_id LEFT JOIN providers ON providers.id = sums.provider_id
LEFT JOIN models ON models.id = sums.model_id
UNION ALL
SELECT max(t.id), t.kind, min(t.from_account, t.to_account), users.public_id, users.name,
  {_parts(_GAINED, "gained")}, 0, 0, NULL, NULL, 0, 0, 0
FROM transfers t JOIN users ON users.id = max(t.from_account, t.to_account) WHERE {_TRANSFERS}
GROUP BY t.kind, users.id"""


async def first(session: DatabaseSession, span: Span) -> int | None:
    row = await session.one(_FIRST, span.from_us - 1, span.to_us)
    return row[0] if row else None


async def last(session: DatabaseSession) -> int:
    [(number,)] = await session.all(LAST_POSTED)
    return int(number)


async def one_by_one(session: DatabaseSession, span: Span, user_id: int | None) -> AsyncIterator[Portion]:
    async for rows, after, upto in _portions(session, span, _ROWS_AT_ONCE):
        yield Portion(rows, [Posting._make(row) for row in await session.all(_ONE_BY_ONE, after, upto, user_id)])


async def sums(session: DatabaseSession, span: Span, user_id: int | None) -> AsyncIterator[Portion]:
    async for rows, after, upto in _portions(session, span, _SUMMED_AT_ONCE):
        yield Portion(rows, [_summed(row) for row in await session.all(_SUMS, after, upto, user_id)])


async def _portions(session: DatabaseSession, span: Span, at_once: int) -> AsyncIterator[tuple[int, int, int]]:
    """How many rows there are, after which id, and up to which one."""
    after = span.from_us - 1
    while True:
        [(upto, rows)] = await session.all(_END, after, span.to_us, at_once)
        if upto is None:
            return
        yield rows, after, upto
        after = upto


def _summed(row: DatabaseRow) -> Posting:
    *names, gained_m, gained_rest, cost_m, cost_rest, provider, model, requests, tokens_in, tokens_out = row
    number, kind, account, user_id, user_name = names
    gained_pico, cost_pico = whole(gained_m, gained_rest), whole(cost_m, cost_rest)
    return Posting(
        number,
        kind,
        account,
        user_id,
        user_name,
        gained_pico,
        cost_pico,
        provider,
        model,
        requests,
        tokens_in,
        tokens_out,
    )
