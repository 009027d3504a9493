"""What happens now: open requests, sums of the last rows of usage, and keys and wallets near the end of a limit.

Usage has no second index. Its last rows are read by their ids, which are times, in portions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.limits import MINUTE_US
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.metering.admission import KeyState
from softix_proxy.domain.metering.live import (
    Ended,
    KeyUse,
    OpenHolds,
    OpenOrder,
    OpenRequest,
    RecentPart,
    SecondSums,
    WalletUse,
)
from softix_proxy.domain.metering.usage import EVERY_ROW, UsageFilter
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, field_names, selected
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed
from softix_proxy.storage.sqlite.metering import usage_sql
from softix_proxy.storage.sqlite.metering.model_rates import read_rates

R = TypeVar("R")
_ROWS_AT_ONCE = 20_000
_KEYS_AT_ONCE = 20_000
_TEN_SECONDS_US = 10 * SECOND_US
_OPEN_REQUEST = RecordMapping(
    OpenRequest,
    request_id=selected("u.request_id"),
    started_at_us=selected("u.started_at_us"),
    user_public_id=selected("users.public_id"),
    user_name=selected("users.name"),
    key_public_id=selected("keys.public_id"),
    key_prefix=selected("keys.prefix"),
    provider=selected("providers.name"),
    model=selected("models.name"),
    endpoint=selected("u.endpoint"),
    stream=selected("u.stream", read=bool),
    hold_pico=selected("u.hold_pico"),
)
_ORDERS: Mapping[OpenOrder, tuple[str, bool]] = {
    "newest": ("u.request_id", True),
    "age": ("u.started_at_us", False),
    "held": ("u.hold_pico", True),
    "user": ("users.name", False),
    "key": ("keys.prefix", False),
    "model": ("models.name", False),
}
"""Order → its column, and whether it is descending."""
_ORDER_BY = {
    (order, reverse): f"{column} {'DESC' if is_descending is not reverse else 'ASC'}, u.request_id"
    for order, (column, is_descending) in _ORDERS.items()
    for reverse in (False, True)
}
_OF_PROCESSES = "u.slot >= 0"
"""The condition for a request that a process works on. The parts of a batch have no process."""

_OPEN_HOLDS = RecordMapping(
    OpenHolds,
    requests=selected("sums.requests"),
    held_pico=summed("sums.held"),
    oldest_at_us=selected("sums.oldest_at_us"),
    batch_requests=selected("sums.batch_requests"),
    batch_held_pico=summed("sums.batch_held"),
)
_SUM_HOLDS = f"""
SELECT {_OPEN_HOLDS.select()} FROM (
  SELECT count(*) FILTER (WHERE {_OF_PROCESSES}) AS requests, count(*) FILTER (WHERE NOT {_OF_PROCESSES}) AS
    batch_requests, min(iif({_OF_PROCESSES}, u.started_at_us, NULL)) AS oldest_at_us,
    {split_sum(f"iif({_OF_PROCESSES}, u.hold_pico, 0)", "held")},
    {split_sum(f"iif({_OF_PROCESSES}, 0, u.hold_pico)", "batch_held")}
  FROM intents u WHERE {{}}
) AS sums"""

_SECOND_SUMS = RecordMapping(
    SecondSums,
    second=selected("sums.second"),
    error=selected("sums.error"),
    requests=selected("sums.requests"),
    input_tokens=selected("sums.input_tokens"),
    output_tokens=selected("sums.output_tokens"),
    cost_pico=summed("sums.cost"),
    charge_pico=summed("sums.charge"),
)
_ENDED = RecordMapping(Ended, latency_ms=selected("u.latency_ms"), usage_id=selected("u.id"))
_FIRST = "SELECT min(id) FROM usage WHERE id > ? AND id <= ?"
_PART = "FROM usage u WHERE u.id > ? AND u.id <= ? AND u.corrects_row_id IS NULL AND {}"
"""The rows of one part, which excludes its lower end."""


def _tokens(meters: frozenset[str]) -> str:
    return f"sum({' + '.join(f'coalesce(u.{name}, 0)' for name in sorted(meters))})"


_SUM_SECONDS = f"""
SELECT {_SECOND_SUMS.select()} FROM (
  SELECT u.id / {SECOND_US} AS second, u.error AS error, count(*) AS requests,
    {_tokens(INPUT_METERS)} AS input_tokens, {_tokens(OUTPUT_METERS)} AS output_tokens,
    {split_sum("u.cost_pico", "cost")}, {split_sum("u.charge_pico", "charge")}
  {_PART} GROUP BY second, u.error
) AS sums"""
_SLOWEST = f"SELECT {_ENDED.select()} {_PART} ORDER BY u.latency_ms DESC, u.id DESC LIMIT ?"
_FAILED = f"SELECT {_ENDED.select()} {_PART} AND u.error IS NOT NULL ORDER BY u.id DESC LIMIT ?"


def _of_table(make: Callable[..., R], table: str, **others: Any) -> RecordMapping[R]:
    """Returns the mapping of a record whose fields are columns of that table. `others` are fields that are not."""
    stored: dict[str, Any] = {name: selected(f"{table}.{name}") for name in field_names(make)}
    return RecordMapping(make, **{**stored, **others})


_KEY_USE = RecordMapping(
    KeyUse,
    user_public_id=selected("users.public_id"),
    user_name=selected("users.name"),
    key_public_id=selected("keys.public_id"),
    key_prefix=selected("keys.prefix"),
    key_label=selected("keys.label"),
    limits=_of_table(KeyLimits, "keys", model_rates=selected("keys.model_rates", read=read_rates)),
    state=_of_table(KeyState, "key_states"),
)


def _is_used(tat: str, per_minute: str) -> str:
    """Returns the condition for a rate of which that part is used, or one unit less, since units are whole."""
    return f"{tat} - ?3 >= {MINUTE_US} * ?4 / 100 - {MINUTE_US} / {per_minute}"


_SPENT = """CASE keys.cap_period WHEN 'day' THEN spent_day_pico WHEN 'week' THEN spent_week_pico
    WHEN 'month' THEN spent_month_pico ELSE spent_total_pico END"""
_KEYS_NEAR_LIMITS = f"""
SELECT {_KEY_USE.select()} FROM key_states JOIN keys ON keys.id = key_states.key_id
JOIN users ON users.id = keys.user_id
WHERE key_states.key_id > ?1 AND key_states.key_id <= ?2
  AND keys.status = 'active' AND users.status = 'active' AND coalesce(keys.expires_at_us > ?3, 1)
  AND coalesce(keys.user_id = ?5, 1) AND coalesce(keys.id = ?6, 1)
  AND (coalesce({_is_used("rpm_tat_us", "keys.rpm")}, 0) OR coalesce({_is_used("tpm_tat_us", "keys.tpm")}, 0)
    OR coalesce(open_requests * 100 >= keys.concurrency * ?4, 0)
    OR coalesce(key_states.held_pico + {_SPENT} >= keys.cap_pico / 100 * ?4, 0))
ORDER BY key_states.key_id"""
"""The keys after ?1 up to ?2 that have used ?4 percent of a limit at ?3, of the user ?5 and the key ?6."""
_LAST_KEY = "SELECT coalesce(max(key_id), 0) FROM key_states"

_WALLET_USE = RecordMapping(
    WalletUse,
    user_public_id=selected("users.public_id"),
    user_name=selected("users.name"),
    spent_at_us=selected("low.spent_at_us"),
    available_pico=selected("low.available_pico"),
)
_LOW_WALLETS = f"""
SELECT {_WALLET_USE.select()} FROM (
  SELECT wallets.user_id, posted_pico - held_pico + credit_pico AS available_pico, (
    SELECT max(spent_at_us) FROM keys JOIN key_states ON key_states.key_id = keys.id
    WHERE keys.user_id = wallets.user_id
  ) AS spent_at_us
  FROM wallets WHERE posted_pico - held_pico + credit_pico <= ?1 AND coalesce(wallets.user_id = ?2, 1)
) AS low JOIN users ON users.id = low.user_id
WHERE users.postpaid = 0 AND users.status = 'active' AND low.spent_at_us > 0 ORDER BY low.user_id"""


class SqliteLiveStore:
    """Reads what happens now."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def open_requests(
        self,
        limit: int,
        wanted: UsageFilter = EVERY_ROW,
        order: OpenOrder = "newest",
        *,
        reverse: bool = False,
        with_batches: bool = True,
    ) -> Sequence[OpenRequest]:
        where, values = _of_intents(wanted)
        order_by = _ORDER_BY[order, reverse]
        rows = await self._session.all(
            f"SELECT {_OPEN_REQUEST.select()} FROM intents u {usage_sql.NAMES}"
            f" WHERE {where} AND ({_OF_PROCESSES} OR ?) ORDER BY {order_by} LIMIT ?",
            *values,
            with_batches,
            limit,
        )
        return _OPEN_REQUEST.read_all(rows)

    async def open_holds(self, wanted: UsageFilter) -> OpenHolds:
        where, values = _of_intents(wanted)
        [row] = await self._session.all(_SUM_HOLDS.format(where), *values)
        return _OPEN_HOLDS.read(row)

    async def recent(self, wanted: UsageFilter, after_id: int, upto_us: int, most: int) -> RecentPart | None:
        [(first_id,)] = await self._session.all(_FIRST, after_id, upto_us)
        if first_id is None:
            return None
        end = min((first_id // _TEN_SECONDS_US + 1) * _TEN_SECONDS_US, upto_us + 1)
        [(last_id,)] = await self._session.all(usage_sql.CHUNK_END, after_id, end, _ROWS_AT_ONCE)
        where, values = usage_sql.conditions(wanted)
        part = (after_id, last_id, *values)
        seconds = await self._session.all(_SUM_SECONDS.format(where), *part)
        slowest = await self._session.all(_SLOWEST.format(where), *part, most)
        failed = await self._session.all(_FAILED.format(where), *part, most)
        return RecentPart(last_id, _SECOND_SUMS.read_all(seconds), _ENDED.read_all(slowest), _ENDED.read_all(failed))

    async def keys_near_limits(self, wanted: UsageFilter, now_us: int, percent: int) -> Sequence[KeyUse]:
        [(last,)] = await self._session.all(_LAST_KEY)
        found: list[KeyUse] = []
        for after in range(0, last, _KEYS_AT_ONCE):
            upto, owner = after + _KEYS_AT_ONCE, (wanted.user_id, wanted.key_id)
            rows = await self._session.all(_KEYS_NEAR_LIMITS, after, upto, now_us, percent, *owner)
            found += _KEY_USE.read_all(rows)
        return found

    async def low_wallets(self, wanted: UsageFilter, low_pico: int) -> Sequence[WalletUse]:
        rows = await self._session.all(_LOW_WALLETS, low_pico, wanted.user_id)
        return _WALLET_USE.read_all(rows)


def _of_intents(wanted: UsageFilter) -> tuple[str, Sequence[object]]:
    """Returns the condition for intents, which have no span, error or status yet."""
    return usage_sql.conditions(replace(wanted, span=None, errors_only=False, statuses=(), tags=(), end_user=None))
