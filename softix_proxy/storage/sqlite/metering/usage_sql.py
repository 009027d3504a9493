"""The statements of usage: rows with their names, and daily sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.ledger.redating import BOOKED, REDATED
from softix_proxy.domain.metering.usage import (
    DailyCost,
    SummarySubject,
    UsageFilter,
    UsageRow,
    UsageSource,
    UsageTotal,
    UserSum,
)
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, Stored, selected
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed

NAMES = """
LEFT JOIN users ON users.id = u.user_id LEFT JOIN keys ON keys.id = u.key_id
LEFT JOIN providers ON providers.id = u.provider_id LEFT JOIN models ON models.id = u.model_id"""
TAGS = "LEFT JOIN usage_tags AS t ON t.usage_id = coalesce(u.corrects_row_id, u.id)"
_HAS_TAG = "instr(' ' || t.tags || ' ', ' ' || ? || ' ')"


def _column(name: str) -> Stored:
    return selected(f"u.{name}")


def read_meters(*counts: int | None) -> dict[str, int]:
    return {name: count for name, count in zip(METERS, counts, strict=True) if count is not None}


ROW = RecordMapping(
    UsageRow,
    id=_column("id"),
    request_id=_column("request_id"),
    usage_at_us=_column("usage_at_us"),
    user_id=_column("user_id"),
    user_public_id=selected("users.public_id"),
    user_name=selected("users.name"),
    key_public_id=selected("keys.public_id"),
    key_prefix=selected("keys.prefix"),
    provider=selected("providers.name"),
    model_id=_column("model_id"),
    model=selected("models.name"),
    model_served=_column("model_served"),
    endpoint=_column("endpoint"),
    stream=selected("u.stream", read=bool),
    meters=selected(*(f"u.{name}" for name in METERS), read=read_meters),
    service_tier=_column("service_tier"),
    price_id=_column("price_id"),
    markup=selected("u.markup_num", "u.markup_den", read=Fraction),
    cost_pico=_column("cost_pico"),
    charge_pico=_column("charge_pico"),
    hold_pico=_column("hold_pico"),
    status_code=_column("status_code"),
    error=_column("error"),
    latency_ms=_column("latency_ms"),
    ttfb_ms=_column("ttfb_ms"),
    attempts=_column("attempts"),
    source=selected("u.source", read=UsageSource),
    note=_column("note"),
    corrects_row_id=_column("corrects_row_id"),
    fee_pico=selected("coalesce(u.fee_pico, 0)"),
    cost_price_id=_column("cost_price_id"),
    tags=selected("coalesce(t.tags, '')"),
    end_user=selected("coalesce(t.end_user, '')"),
)
ROWS = f"SELECT {ROW.select()} FROM usage u {NAMES} {TAGS}"


def conditions(wanted: UsageFilter) -> tuple[str, Sequence[object]]:
    """Returns the condition for the rows of the filter, as a text with placeholders, and their values."""
    found: dict[str, Sequence[object]] = {"TRUE": []}
    if wanted.span is not None:
        found["u.id >= ? AND u.id < ?"] = [wanted.span.from_us, wanted.span.to_us]
    if wanted.user_id is not None:
        found["u.user_id = ?"] = [wanted.user_id]
    if wanted.key_id is not None:
        found["u.key_id = ?"] = [wanted.key_id]
    if wanted.key_ids is not None:
        found[f"u.key_id IN ({', '.join('?' * len(wanted.key_ids))})"] = wanted.key_ids
    if wanted.model_ids is not None:
        found[f"u.model_id IN ({', '.join('?' * len(wanted.model_ids))})"] = wanted.model_ids
    if wanted.errors_only:
        found["u.error IS NOT NULL"] = []
    if wanted.statuses:
        ranges = " OR ".join(["u.status_code BETWEEN ? AND ?"] * len(wanted.statuses))
        found[f"({ranges})"] = [status for each in wanted.statuses for status in each]
    if wanted.tags:
        found[" AND ".join([_HAS_TAG] * len(wanted.tags))] = wanted.tags
    if wanted.end_user is not None:
        found["t.end_user = ?"] = [wanted.end_user]
    return " AND ".join(found), [value for given in found.values() for value in given]


USER_SUM = RecordMapping(
    UserSum,
    user_id=selected("coalesce(users.public_id, 'user ' || sums.user_id)"),
    rows=selected("sums.row_count"),
    cost_pico=summed("sums.cost"),
    charge_pico=summed("sums.charge"),
)
BY_USER = f"""
SELECT {USER_SUM.select()}, sums.first_id, sums.last_id FROM (
  SELECT count(*) AS row_count, {split_sum("cost_pico", "cost")}, {split_sum("charge_pico", "charge")},
    min(id) AS first_id, max(id) AS last_id, user_id
  FROM usage WHERE id > ?1 AND id <= ?2 AND (?3 IS NULL OR user_id = ?3) GROUP BY user_id
) AS sums LEFT JOIN users ON users.id = sums.user_id"""
"""The sums of each user over the rows after ?1 up to ?2, and then the ids of the first and the last of them."""


class _By(NamedTuple):
    subject: str
    id: str
    name: str
    join: str


_DATE = f"date(subject*{DAY_US // SECOND_US}, 'unixepoch')"
_MODEL = "providers.name || '/' || models.name"
_BY: Mapping[SummarySubject, _By] = {
    "user": _By("user_id", "users.public_id", "users.name", "LEFT JOIN users ON users.id = subject"),
    "key": _By(
        "key_id",
        "keys.public_id",
        "users.name || ' ' || trim(keys.label || ' ' || keys.prefix)",
        "LEFT JOIN keys ON keys.id = subject LEFT JOIN users ON users.id = keys.user_id",
    ),
    "model": _By(
        "model_id",
        _MODEL,
        _MODEL,
        "LEFT JOIN models ON models.id = subject LEFT JOIN providers ON providers.id = models.provider_id",
    ),
    "provider": _By("provider_id", "providers.name", "providers.name", "LEFT JOIN providers ON providers.id = subject"),
    "day": _By("day", _DATE, _DATE, ""),
}


_TOTALS = {
    by: RecordMapping(
        UsageTotal,
        id=selected(names.id),
        name=selected(names.name),
        requests=selected("sums.requests"),
        errors=selected("sums.errors"),
        input_tokens=selected("sums.input_tokens"),
        output_tokens=selected("sums.output_tokens"),
        cost_pico=summed("sums.cost"),
        charge_pico=summed("sums.charge"),
    )
    for by, names in _BY.items()
}
_ADDED_UP = f"""sum(requests) AS requests, sum(errors) AS errors, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, {split_sum("cost_pico", "cost")}, {split_sum("charge_pico", "charge")}"""


def total(by: SummarySubject) -> RecordMapping[UsageTotal]:
    return _TOTALS[by]


def totals(by: SummarySubject, table: str) -> str:
    """Returns the statement for the `total` of each subject from day ?1 to before ?2."""
    names = _BY[by]
    return f"""
SELECT {total(by).select()}
FROM (
  SELECT {_ADDED_UP}, {names.subject} AS subject FROM {table} WHERE day >= ?1 AND day < ?2 GROUP BY subject
) AS sums {names.join} ORDER BY subject"""


def trends(by: SummarySubject, table: str) -> str:
    """Returns the same as `totals` for each day (the last column) of the ?3 most expensive subjects."""
    names = _BY[by]
    return f"""
SELECT {total(by).select()}, sums.day
FROM (
  SELECT {_ADDED_UP}, {names.subject} AS subject, day
  FROM {table} WHERE day >= ?1 AND day < ?2 AND {names.subject} IN (
    SELECT {names.subject} FROM {table} WHERE day >= ?1 AND day < ?2 GROUP BY {names.subject}
    ORDER BY sum(charge_pico/1000000) DESC, {names.subject} LIMIT ?3
  ) GROUP BY subject, day
) AS sums {names.join} ORDER BY subject, day"""


_TOKENS = " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in INPUT_METERS | OUTPUT_METERS)
END_OF_TIME = 2**63 - 1
CHUNK_START = "SELECT min(id) FROM (SELECT id FROM usage WHERE id < ? ORDER BY id DESC LIMIT ?)"
CHUNK_END = "SELECT max(id) FROM (SELECT id FROM usage WHERE id > ? AND id < ? ORDER BY id LIMIT ?)"


def _moves(row: str) -> str:
    """Returns the condition for a row that moves a request to another day, with its usage.

    A redating row without usage moves only a correction.
    """
    used = " OR ".join(f"{row}.{name} <> 0" for name in METERS)
    return f"({row}.corrects_row_id IS NOT NULL AND {row}.note LIKE '{REDATED}%' AND coalesce({used}, 0))"


_ABOUT_ITSELF = f"(u.corrects_row_id IS NULL OR {_moves('u')})"
"""The condition for a row that counts on its own day. Any other correction counts on the day of its request."""
_BOOKED = f"""
SELECT {{}} FROM usage AS moved WHERE {_moves("moved")} AND moved.note LIKE '{BOOKED}%'"""
_BOOKED_AT = f"""coalesce(({_BOOKED.format("max(moved.id)")}
  AND moved.corrects_row_id = u.corrects_row_id), u.corrects_row_id)"""
DAILY_COST = RecordMapping(
    DailyCost,
    day=selected("sums.day"),
    model=selected("models.name"),
    upstream_name=selected("models.upstream_name"),
    model_served=selected("sums.model_served"),
    source=selected("sums.source", read=UsageSource),
    unpriced=selected("sums.unpriced", read=bool),
    requests=selected("sums.requests"),
    tokens=selected("sums.tokens"),
    cost_pico=summed("sums.cost"),
    hold_pico=summed("sums.hold"),
)
DAILY_COSTS = f"""
SELECT {DAILY_COST.select()}
FROM (
  SELECT iif({_ABOUT_ITSELF}, u.id, {_BOOKED_AT}) / {DAY_US} AS day, u.model_id, u.model_served, u.source,
    coalesce(u.note LIKE iif(u.cost_price_id IS NULL, '%unpriced:%', '%uncosted:%'), 0) AND NOT EXISTS (
      SELECT 1 FROM usage AS later WHERE later.corrects_row_id = u.id AND later.cost_pico <> 0
        AND coalesce(later.note, '') NOT LIKE '{REDATED}%') AS unpriced,
    sum(u.corrects_row_id IS NULL) AS requests,
    sum({_TOKENS}) AS tokens,
    {split_sum("u.cost_pico", "cost")}, {split_sum("u.hold_pico", "hold")}
  FROM usage u JOIN providers ON providers.id = u.provider_id AND providers.name = ?1
  WHERE (u.id > ?2 AND u.id <= ?3 AND {_ABOUT_ITSELF})
    OR (u.corrects_row_id > ?2 AND u.corrects_row_id <= ?3 AND NOT {_ABOUT_ITSELF}
      AND {_BOOKED_AT} = u.corrects_row_id)
    OR (u.corrects_row_id IN ({_BOOKED.format("moved.corrects_row_id")} AND moved.id > ?2 AND moved.id <= ?3)
      AND NOT {_ABOUT_ITSELF})
  GROUP BY 1, 2, 3, 4, 5
) AS sums LEFT JOIN models ON models.id = sums.model_id
ORDER BY sums.day, models.name, sums.model_served, sums.source, sums.unpriced"""
"""The sums by day, model, served name, source and completeness, for the rows of a provider's name after ?2 up to ?3.

They include the corrections of these rows, whenever those were posted.
"""

EXPECTED = "SELECT coalesce(sum(requests), 0) FROM usage_daily WHERE day >= ? AND day <= ? AND coalesce(user_id = ?, 1)"
MODEL_IDS = """
SELECT models.id FROM models JOIN providers ON providers.id = models.provider_id
WHERE models.name = ?1 OR providers.name || '/' || models.name = ?1"""
LAST = """
SELECT coalesce((SELECT max(id) FROM usage), 0), coalesce((SELECT max(id) FROM usage WHERE id <= ?1), 0)"""
"""The last row, and the last one that is not after ?1."""
