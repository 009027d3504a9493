"""The statements of the hot path. One group of requests is one transaction; see `journal`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.admission import Intent, KeyState, WalletState
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.budgets import BudgetAlert, BudgetState
from softix_proxy.domain.metering.caps import CapAlert, CapState
from softix_proxy.domain.metering.model_rates import ModelRateState
from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.storage.sqlite.core.database import ZONE
from softix_proxy.storage.sqlite.core.numbering import LAST_POSTED
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, WrittenColumns, converted, field_names


class BulkStatement(NamedTuple):
    """A statement that takes any number of rows at once.

    It is one step of SQLite. So Python's lock is given up and contended for once a group, and not once a row.
    """

    head: str
    row: str
    tail: str = ""


MOST_ROWS = 64
"""The most rows in one statement. A longer one would not be kept compiled (see `engine.MOST_CACHED_BYTES`)."""


@lru_cache(maxsize=512)
def of(rows: BulkStatement, count: int) -> str:
    return f"{rows.head} VALUES {','.join((rows.row,) * count)} {rows.tail}"


def _row(columns: int) -> str:
    return f"({','.join('?' * columns)})"


def _adding(table: str, columns: Sequence[str], tail: str = "", *, how: str = "INSERT") -> BulkStatement:
    return BulkStatement(f"{how} INTO {table} ({', '.join(columns)})", _row(len(columns)), tail)


WALLET_STATE = field_names(WalletState)
KEY_STATE = field_names(KeyState)
"""The columns of a state, in the order in which its constructor takes them."""
HOLDS = """
SELECT json_group_array(json_array(request_id, json_array(hold_pico, slot, json(cap_ids)))) FROM intents
WHERE request_id IN (SELECT value FROM json_each(?))"""
BUDGET_STATE = field_names(BudgetState)
BUDGETS = f"""
SELECT json_group_array(json_array(k.key_id, {", ".join(f"b.{column}" for column in BUDGET_STATE)}))
FROM json_each(?) AS asked CROSS JOIN key_budgets AS k ON k.key_id = asked.value ->> 1
CROSS JOIN budgets AS b ON b.id = k.budget_id"""
"""The budgets of the keys that have one. They are looked for only if any key of the instance has one."""
CAP_STATE = field_names(CapState)
_MADE_UP = {"of_user": "c.key_id IS NULL", "end_user": "''"}
"""The columns of a state that the table does not have."""
CAPS = f"""
SELECT json_group_array(json_array(asked.value ->> 1,
  {", ".join(_MADE_UP.get(column, f"c.{column}") for column in CAP_STATE)}))
FROM json_each(?) AS asked CROSS JOIN caps AS c ON c.id IN (
  SELECT id FROM caps WHERE caps.key_id = asked.value ->> 1
  UNION ALL SELECT id FROM caps WHERE caps.user_id = asked.value ->> 0 AND caps.key_id IS NULL)"""
"""The caps of the keys and of their users. They are looked for only if the instance has one."""
STATES = f"""
SELECT json_array((SELECT value FROM directory_revision WHERE id = 1), ({LAST_POSTED.strip()}), ({ZONE}),
  json(({HOLDS.strip()})), iif(EXISTS (SELECT 1 FROM key_budgets WHERE key_id > 0), json(({BUDGETS.strip()})), NULL),
  iif(EXISTS (SELECT 1 FROM caps WHERE id > 0), json(({CAPS.strip()})), NULL),
  json_group_array(json_array(
  asked.value ->> 0, asked.value ->> 1, {", ".join(f"wallets.{column}" for column in WALLET_STATE)},
  {", ".join(f"k.{column}" for column in KEY_STATE)})))
FROM json_each(?) AS asked LEFT JOIN wallets ON wallets.user_id = asked.value ->> 0
LEFT JOIN key_states AS k ON k.key_id = asked.value ->> 1"""
"""All that a group has to know for ids of requests and pairs of user and key, in one row and one statement.

Each further row or statement would cost a wait for Python's lock.
"""
SAVE_WALLETS = BulkStatement(
    "WITH new (user_id, posted, held) AS (",
    _row(3),
    ") UPDATE wallets SET posted_pico = posted, held_pico = held FROM new WHERE wallets.user_id = new.user_id",
)
SAVE_KEY_STATES = _adding("key_states", ("key_id", *KEY_STATE), how="INSERT OR REPLACE")
KEY = WrittenColumns({name: name for name in KEY_STATE})
"""The columns of a key's state, for SAVE_KEY_STATES after the key's id."""
SAVE_BUDGETS = BulkStatement(
    "WITH new (id, held, spent_at, spent) AS (",
    _row(4),
    ") UPDATE budgets SET held_pico = held, spent_at_us = spent_at, spent_pico = spent FROM new"
    " WHERE budgets.id = new.id",
)
SAVE_CAPS = SAVE_BUDGETS._replace(tail=SAVE_BUDGETS.tail.replace("budgets", "caps"))
END_USERS = """
SELECT cap_id, end_user, held_pico, spent_at_us, spent_pico FROM cap_end_users
WHERE (cap_id, end_user) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"""
SAVE_END_USERS = _adding(
    "cap_end_users", ("cap_id", "end_user", "held_pico", "spent_at_us", "spent_pico"), how="INSERT OR REPLACE"
)
CAP_ALERT = WrittenColumns({name: name for name in CapAlert._fields})
ADD_CAP_ALERTS = _adding("cap_alerts", CAP_ALERT.columns, "ON CONFLICT DO NOTHING")
MODEL_NAMES = """
SELECT m.id, p.name, m.name FROM models AS m JOIN providers AS p ON p.id = m.provider_id
WHERE m.id IN (SELECT value FROM json_each(?))"""
MODEL_RATE_STATE = field_names(ModelRateState)
MODEL_RATES = f"""
SELECT key_id, models, {", ".join(MODEL_RATE_STATE)} FROM model_rate_states
WHERE key_id IN (SELECT value FROM json_each(?))"""
SAVE_MODEL_RATES = _adding("model_rate_states", ("key_id", "models", *MODEL_RATE_STATE), how="INSERT OR REPLACE")
ALERT = WrittenColumns({name: name for name in BudgetAlert._fields})
ADD_ALERTS = _adding("budget_alerts", ALERT.columns, "ON CONFLICT DO NOTHING")
"""Notes what was reached, once in a period."""

INTENT = WrittenColumns(
    {
        "request_id": "request_id",
        "user_id": "user_id",
        "key_id": "key_id",
        "provider_id": "provider_id",
        "model_id": "model_id",
        "price_id": "price_id",
        "endpoint": "endpoint",
        "stream": "stream",
        "started_at_us": "started_at_us",
        "tags": "tags",
        "end_user": "end_user",
    }
)
ADD_INTENTS = _adding("intents", ("slot", "hold_pico", "widened_pico", "cap_ids", *INTENT.columns))
CLOSE_INTENTS = "DELETE FROM intents WHERE request_id IN (SELECT value FROM json_each(?))"
OPEN_INTENT = RecordMapping(
    Intent,
    "request_id",
    "user_id",
    "key_id",
    "provider_id",
    "model_id",
    "price_id",
    "endpoint",
    "started_at_us",
    "tags",
    "end_user",
    stream=converted(bool),
    given={
        "revision": 0,
        "postpaid": False,
        "limits": KeyLimits(),
        "bound": Bound(),
        "tokens_estimate": 0,
        "tokens_bound": 0,
        "refs": (),
        "places": (),
        "other_models": (),
    },
)
"""The part of an intent that a settlement has to know."""
ORPHAN = RecordMapping(Orphan, "hold_pico", intent=OPEN_INTENT)
OPEN_INTENTS = f"""
SELECT {ORPHAN.select()} FROM intents
WHERE slot IN (SELECT value FROM json_each(?)) ORDER BY request_id LIMIT ?"""
OPEN_SLOTS = "SELECT DISTINCT slot FROM intents WHERE slot >= 0"

ALREADY_SETTLED = "SELECT request_id, id, charge_pico FROM usage WHERE request_id IN (SELECT value FROM json_each(?))"
USAGE = WrittenColumns(
    {
        "request_id": "intent.request_id",
        "usage_at_us": "intent.started_at_us",
        "user_id": "intent.user_id",
        "key_id": "intent.key_id",
        "provider_id": "intent.provider_id",
        "model_id": "intent.model_id",
        "endpoint": "intent.endpoint",
        "stream": "intent.stream",
        "markup_num": "markup.numerator",
        "markup_den": "markup.denominator",
        "cost_pico": "cost_pico",
        "charge_pico": "charge_pico",
        "hold_pico": "hold_pico",
        "status_code": "status_code",
        "latency_ms": "latency_ms",
        "ttfb_ms": "ttfb_ms",
        "attempts": "attempts",
        "source": "source",
        "cost_price_id": "cost_price_id",
    },
    or_null={
        "model_served": "model_served",
        "service_tier": "service_tier",
        "price_id": "intent.price_id",
        "fee_pico": "fee_pico",
        "error": "error",
        "note": "note",
    },
)
"""The columns of a settlement."""
METER_COLUMNS = tuple(METERS)
ADD_USAGE = _adding("usage", ("id", *USAGE.columns, *METER_COLUMNS))
ADD_USAGE_TAGS = _adding("usage_tags", ("usage_id", "tags", "end_user"))
ATTEMPT = WrittenColumns(
    {
        "provider_id": "provider_id",
        "model_id": "model_id",
        "status_code": "status_code",
        "error": "error",
        "latency_ms": "latency_ms",
        "source": "source",
        "service_tier": "service_tier",
        "price_id": "price_id",
        "markup_num": "markup.numerator",
        "markup_den": "markup.denominator",
        "bound_pico": "bound_pico",
        "cost_pico": "cost_pico",
        "charge_pico": "charge_pico",
        "cost_price_id": "cost_price_id",
    }
)
"""The columns of a failed attempt."""
ADD_ATTEMPTS = _adding("attempts", ("usage_id", "sequence", "request_id", "user_id", "meters", *ATTEMPT.columns))
ADD_CHARGES = BulkStatement(
    "INSERT INTO transfers (id, from_account, to_account, amount_pico, kind)", "(?, ?, -2, ?, 'charge')"
)
_MOST = MAX_PICO
_SUMMED = ("missing_pico", "uncharged_pico")
_WIDER = ("excess_pico", "factor_permille", "dearest_pico")
WIDENED = WrittenColumns(
    {
        "model_id": "model_id",
        "member": "member",
        "excess_pico": "widening.excess_pico",
        "factor_permille": "widening.factor_permille",
        "dearest_pico": "widening.dearest_pico",
        "missing_pico": "missing_pico",
        "uncharged_pico": "uncharged_pico",
        "first_at_us": "at_us",
        "last_at_us": "at_us",
        "last_request_id": "request_id",
    }
)
"""The columns of an `ExceededBound`."""
WIDEN = BulkStatement(
    f"INSERT INTO widened_bounds (times, {', '.join(WIDENED.columns)})",
    f"(1, {', '.join('?' * len(WIDENED.columns))})",
    "ON CONFLICT (model_id, member) DO UPDATE SET times = times + 1,"
    + "".join(f" {name} = max({name}, excluded.{name})," for name in _WIDER)
    + "".join(
        f" {name} = iif({name} > {_MOST} - excluded.{name}, {_MOST}, {name} + excluded.{name})," for name in _SUMMED
    )
    + " last_at_us = excluded.last_at_us, last_request_id = excluded.last_request_id",
)
"""Records bounds that were exceeded. A trigger makes every directory read those that became wider."""
REVISION = "SELECT value FROM directory_revision WHERE id = 1"
DAILY_PLACE = ("day", "key_id", "model_id")
DAILY_OWNERS = ("user_id", "provider_id")
DAILY_SUMS = ("requests", "errors", "input_tokens", "output_tokens", "cost_pico", "charge_pico")
DAILY_COLUMNS = (*DAILY_PLACE, *DAILY_OWNERS, *DAILY_SUMS)
ADD_TO_DAILY = f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in DAILY_SUMS)}"
ADD_DAILY = _adding("usage_daily", DAILY_COLUMNS, ADD_TO_DAILY)
DAILY = WrittenColumns({name: name for name in DAILY_COLUMNS})
"""The columns of a `DailySum`."""


class DailySum:
    """The sums of the rows of a day of posting, key and model. A dataclass would add a millisecond to the start."""

    __slots__ = DAILY_COLUMNS

    def __init__(
        self,
        *,
        day: int,
        key_id: int,
        model_id: int,
        user_id: int,
        provider_id: int,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cost_pico: int = 0,
        charge_pico: int = 0,
    ) -> None:
        """Makes a sum without a request."""
        self.day = day
        self.key_id = key_id
        self.model_id = model_id
        self.user_id = user_id
        self.provider_id = provider_id
        self.requests = self.errors = 0
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.cost_pico = cost_pico
        self.charge_pico = charge_pico


NOTE_UNPRICED = """
INSERT INTO unpriced_asks (model_id, asks, last_asked_at_us) VALUES (?, 1, ?)
ON CONFLICT DO UPDATE SET asks = asks + 1, last_asked_at_us = excluded.last_asked_at_us"""

PROBE = "INSERT OR REPLACE INTO instance (name, value) VALUES ('probe', ?)"
"""A write for its own sake, which shows whether the books can be written."""
