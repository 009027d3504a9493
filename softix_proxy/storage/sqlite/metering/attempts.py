"""The failed attempts. Their rows are beside the usage row of their request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.metering.usage import AttemptRow, DailyCost, UsageFilter, UsageSource
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed

_ATTEMPT = RecordMapping(
    AttemptRow,
    usage_id=selected("a.usage_id"),
    sequence=selected("a.sequence"),
    request_id=selected("a.request_id"),
    user_public_id=selected("users.public_id"),
    user_name=selected("users.name"),
    provider=selected("providers.name"),
    model=selected("models.name"),
    status_code=selected("a.status_code"),
    error=selected("a.error"),
    latency_ms=selected("a.latency_ms"),
    source=selected("a.source", read=UsageSource),
    meters=selected("a.meters", read=json.loads),
    service_tier=selected("a.service_tier"),
    price_id=selected("a.price_id"),
    markup=selected("a.markup_num", "a.markup_den", read=Fraction),
    bound_pico=selected("a.bound_pico"),
    cost_pico=selected("a.cost_pico"),
    charge_pico=selected("a.charge_pico"),
    cost_price_id=selected("a.cost_price_id"),
)
_ROWS = f"""
SELECT {_ATTEMPT.select()}
FROM attempts a LEFT JOIN users ON users.id = a.user_id LEFT JOIN providers ON providers.id = a.provider_id
  LEFT JOIN models ON models.id = a.model_id"""
_TOKENS = ", ".join(f"'{name}'" for name in sorted(INPUT_METERS | OUTPUT_METERS))
_DAILY_COST = RecordMapping(
    DailyCost,
    day=selected("sums.day"),
    model=selected("sums.model"),
    upstream_name=selected("sums.upstream_name"),
    source=selected("sums.source", read=UsageSource),
    unpriced=selected("sums.unpriced", read=bool),
    requests=selected("sums.requests"),
    tokens=selected("sums.tokens"),
    cost_pico=summed("sums.cost"),
    hold_pico=summed("sums.bound"),
    given={"model_served": None},
)
_DAILY = f"""
SELECT {_DAILY_COST.select()} FROM (
  SELECT a.usage_id / {DAY_US} AS day, models.name AS model, models.upstream_name AS upstream_name, a.source AS source,
    a.cost_price_id IS 0 AS unpriced, count(*) AS requests,
    sum((SELECT coalesce(sum(value), 0) FROM json_each(a.meters) WHERE key IN ({_TOKENS}))) AS tokens,
    {split_sum("a.cost_pico", "cost")}, {split_sum("a.bound_pico", "bound")}
  FROM attempts a JOIN providers ON providers.id = a.provider_id AND providers.name = ?1
    LEFT JOIN models ON models.id = a.model_id
  WHERE a.usage_id >= ?2 AND a.usage_id < ?3 AND a.source <> 'none' GROUP BY 1, 2, 3, 4, 5
) AS sums ORDER BY day, model, upstream_name, source, unpriced"""


async def of(session: DatabaseSession, usage_id: int) -> Sequence[AttemptRow]:
    """Returns the failed attempts of one request, in the order in which they were made."""
    return _ATTEMPT.read_all(await session.all(f"{_ROWS} WHERE a.usage_id = ? ORDER BY a.sequence", usage_id))


async def newest(session: DatabaseSession, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
    """Returns the failed attempts by period and user, the newest first."""
    conditions: dict[str, Sequence[object]] = {"a.usage_id > ?": [0]}
    if wanted.span is not None:
        conditions["a.usage_id >= ? AND a.usage_id < ?"] = [wanted.span.from_us, wanted.span.to_us]
    if wanted.user_id is not None:
        conditions["a.user_id = ?"] = [wanted.user_id]
    values = [value for given in conditions.values() for value in given]
    order = "ORDER BY a.usage_id DESC, a.sequence DESC LIMIT ?"
    return _ATTEMPT.read_all(await session.all(f"{_ROWS} WHERE {' AND '.join(conditions)} {order}", *values, limit))


async def daily_costs(session: DatabaseSession, provider: str, from_us: int, to_us: int) -> Sequence[DailyCost]:
    """Returns what the provider may have billed for. The rows are few, because most failed attempts cost nothing."""
    return _DAILY_COST.read_all(await session.all(_DAILY, provider, from_us, to_us))
