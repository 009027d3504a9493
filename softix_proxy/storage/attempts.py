"""Attempts that failed: rows beside the usage row of the request that they were made for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from softix_proxy.domain.clock import DAY_US
from softix_proxy.domain.usage import INPUT_METERS, OUTPUT_METERS, AttemptRow, DailyCost, Source, UsageFilter
from softix_proxy.storage import usage_sql as sql
from softix_proxy.storage.database import DatabaseRow, DatabaseSession

_ROW = """
SELECT a.usage_id, a.sequence, a.request_id, users.public_id, users.name, providers.name, models.name, a.status_code,
  a.error, a.latency_ms, a.source, a.meters, a.service_tier, a.price_id, a.markup_num, a.markup_den, a.bound_pico,
  a.cost_pico, a.charge_pico, a.cost_price_id
FROM attempts a LEFT JOIN users ON users.id = a.user_id LEFT JOIN providers ON providers.id = a.provider_id
  LEFT JOIN models ON models.id = a.model_id"""
_TOKENS = ", ".join(f"'{name}'" for name in sorted(INPUT_METERS | OUTPUT_METERS))
_DAILY = f"""
SELECT a.usage_id / {DAY_US}, models.name, models.upstream_name, a.source, a.cost_price_id IS 0, count(*),
  sum((SELECT coalesce(sum(value), 0) FROM json_each(a.meters) WHERE key IN ({_TOKENS}))),
  sum(a.cost_pico/1000000), sum(a.cost_pico%1000000), sum(a.bound_pico/1000000), sum(a.bound_pico%1000000)
FROM attempts a JOIN providers ON providers.id = a.provider_id AND providers.name = ?1
  LEFT JOIN models ON models.id = a.model_id
WHERE a.usage_id >= ?2 AND a.usage_id < ?3 AND a.source <> 'none' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""


async def of(session: DatabaseSession, usage_id: int) -> Sequence[AttemptRow]:
    """In the order in which they were made."""
    return [_to_row(row) for row in await session.all(f"{_ROW} WHERE a.usage_id = ? ORDER BY a.sequence", usage_id)]


async def newest(session: DatabaseSession, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
    """By period and user; the newest first."""
    conditions: dict[str, Sequence[object]] = {"a.usage_id > ?": [0]}
    if wanted.span is not None:
        conditions["a.usage_id >= ? AND a.usage_id < ?"] = wanted.span
    if wanted.user_id is not None:
        conditions["a.user_id = ?"] = [wanted.user_id]
    values = [value for given in conditions.values() for value in given]
    order = "ORDER BY a.usage_id DESC, a.sequence DESC LIMIT ?"
    return [
        _to_row(row) for row in await session.all(f"{_ROW} WHERE {' AND '.join(conditions)} {order}", *values, limit)
    ]


async def daily_costs(session: DatabaseSession, provider: str, from_us: int, to_us: int) -> Sequence[DailyCost]:
    """What the provider may have billed for: few, since most attempts that fail cost nothing."""
    return [
        DailyCost(
            day=day,
            model=model,
            upstream_name=upstream_name,
            model_served=None,
            source=Source(source),
            unpriced=bool(unpriced),
            requests=requests,
            tokens=tokens,
            cost_pico=sql.whole(*sums[:2]),
            hold_pico=sql.whole(*sums[2:]),
        )
        for day, model, upstream_name, source, unpriced, requests, tokens, *sums in await session.all(
            _DAILY, provider, from_us, to_us
        )
    ]


def _to_row(row: DatabaseRow) -> AttemptRow:
    before, (source, meters, service_tier, price_id, num, den), amounts = row[:10], row[10:16], row[16:]
    values: DatabaseRow = (
        *before,
        Source(source),
        json.loads(meters),
        service_tier,
        price_id,
        Fraction(num, den),
        *amounts,
    )
    return AttemptRow(*values)
