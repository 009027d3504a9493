"""The statements of the hot path. One group of requests is one transaction; see `journal`."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from softix_proxy.domain.usage import METERS
from softix_proxy.storage.numbering import LAST_POSTED


class BulkStatement(NamedTuple):
    """A statement that takes any number of rows at once: one step of SQLite, so that the lock on Python is given up
    and fought for once a group and not once a row."""

    head: str
    row: str
    tail: str = ""


MOST_ROWS = 64
"""At once, of any statement: a longer one would not be kept compiled (see `engine_sqlite.MOST_CACHED_BYTES`)."""


@lru_cache(maxsize=512)
def of(rows: BulkStatement, count: int) -> str:
    return f"{rows.head} VALUES {','.join((rows.row,) * count)} {rows.tail}"


def _row(columns: int) -> str:
    return f"({','.join('?' * columns)})"


ZONE = "SELECT CAST(value AS TEXT) FROM instance WHERE name = 'zone'"
"""Whose days the sums of days and of keys are by; NULL: UTC's."""
HOLDS = """
SELECT json_group_array(json_array(request_id, json_array(hold_pico, slot))) FROM intents
WHERE request_id IN (SELECT value FROM json_each(?))"""
STATES = f"""
SELECT json_array((SELECT value FROM directory_revision WHERE id = 1), ({LAST_POSTED.strip()}), ({ZONE}),
  json(({HOLDS.strip()})),
  json_group_array(json_array(
  asked.value ->> 0, asked.value ->> 1, wallets.posted_pico, wallets.held_pico, wallets.credit_pico, rpm_tat_us,
  tpm_tat_us, open_requests, k.held_pico, spent_at_us, spent_day_pico, spent_week_pico, spent_month_pico,
  spent_total_pico)))
FROM json_each(?) AS asked LEFT JOIN wallets ON wallets.user_id = asked.value ->> 0
LEFT JOIN key_states AS k ON k.key_id = asked.value ->> 1"""
"""For ids of requests, and pairs of user and key: all that a group has to know, in one row and statement: each of
them costs a fight for Python's lock."""
SAVE_WALLETS = BulkStatement(
    "WITH new (user_id, posted, held) AS (",
    _row(3),
    ") UPDATE wallets SET posted_pico = posted, held_pico = held FROM new WHERE wallets.user_id = new.user_id",
)
SAVE_KEY_STATES = BulkStatement("INSERT OR REPLACE INTO key_states", _row(10))

INTENT = (
    "request_id, slot, user_id, key_id, provider_id, model_id, price_id, endpoint, stream, hold_pico, started_at_us"
)
ADD_INTENTS = BulkStatement(f"INSERT INTO intents ({INTENT})", _row(11))
CLOSE_INTENTS = "DELETE FROM intents WHERE request_id IN (SELECT value FROM json_each(?))"
OPEN_INTENTS = (
    f"SELECT {INTENT} FROM intents WHERE slot IN (SELECT value FROM json_each(?)) ORDER BY request_id LIMIT ?"
)
OPEN_SLOTS = "SELECT DISTINCT slot FROM intents WHERE slot >= 0"

ALREADY_SETTLED = "SELECT request_id, id FROM usage WHERE request_id IN (SELECT value FROM json_each(?))"
_USAGE = (
    "id, request_id, usage_at_us, user_id, key_id, provider_id, model_id, model_served, endpoint, stream, "
    + ", ".join(METERS)
    + ", service_tier, price_id, markup_num, markup_den, fee_pico, cost_pico, charge_pico, hold_pico, status_code, "
    "error, latency_ms, ttfb_ms, attempts, source, note, cost_price_id"
)
ADD_USAGE = BulkStatement(f"INSERT INTO usage ({_USAGE})", _row(len(_USAGE.split(", "))))
ADD_ATTEMPTS = BulkStatement("INSERT INTO attempts", _row(19))
ADD_CHARGES = BulkStatement(
    "INSERT INTO transfers (id, from_account, to_account, amount_pico, kind)", "(?, ?, -2, ?, 'charge')"
)
ADD_DAILY = BulkStatement(
    "INSERT INTO usage_daily",
    _row(11),
    """
ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, errors = errors + excluded.errors,
  input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cost_pico = cost_pico + excluded.cost_pico, charge_pico = charge_pico + excluded.charge_pico""",
)
NOTE_UNPRICED = """
INSERT INTO unpriced_asks VALUES (?, 1, ?)
ON CONFLICT DO UPDATE SET asks = asks + 1, last_asked_at_us = excluded.last_asked_at_us"""
