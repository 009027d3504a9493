"""A small database with two users, and the steps of their requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.metering.admission import Admitted, Intent
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

USD = 10**12
NOW_US = 1_800_000_000_000_000
POSTED_PICO = 10 * USD
"""What each of the two has at first."""
_DIRECTORY = f"""
INSERT INTO users (id, public_id, name, email, role, created_at_us) VALUES
  (1, 'usr_ada', 'ada', 'ada@example.org', 'user', 1), (2, 'usr_bob', 'bob', 'bob@example.org', 'user', 1);
INSERT INTO wallets (user_id, posted_pico) VALUES (1, {POSTED_PICO}), (2, {POSTED_PICO});
INSERT INTO transfers (id, from_account, to_account, amount_pico, kind) VALUES
  (1, -1, 1, {POSTED_PICO}, 'top-up'), (2, -1, 2, {POSTED_PICO}, 'top-up');
INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us) VALUES
  (1, 'key_ada', 1, 'ci', 'sx_live_aaaa', x'01', 1), (2, 'key_bob', 2, '', 'sx_live_bbbb', x'02', 1);
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us) VALUES
  (1, 'prv_lab', 'lab', 'demo', '', 'cancel', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES (1, 'llama', 1, 'llama', 1);
"""


class StoppedClock:
    """Moves only when told to."""

    def __init__(self, now_us: int = NOW_US) -> None:
        self.us = now_us
        self.slept_us = 0
        """By how much it was set, or slept: its monotonic side does not know of that."""

    def now_us(self) -> int:
        return self.us

    def monotonic_ns(self) -> int:
        return (self.us - self.slept_us) * 1000


def make_database(folder: Path, clock: Any = None) -> Database:
    """Made, filled, and not opened."""
    database = Database(folder / "softix.db", clock or StoppedClock())
    database.create()
    fill(database)
    return database


def fill(database: Database) -> None:
    """With the two users, their keys and money, a provider and a model."""
    connection = database.connect()
    connection.execute(_DIRECTORY)
    connection.close()


def failure(code: str) -> Exception:
    """As the engine raises it, for example `SQLITE_IOERR_WRITE`."""
    number: Any = getattr(apsw, code)
    error = apsw.exception_for(number & 0xFF)
    error.result, error.extendedresult = number & 0xFF, number  # type: ignore[attr-defined]
    return error


def revision(connection: SqliteConnection) -> int:
    return int(connection.execute("SELECT value FROM directory_revision").fetchone()[0])


def make_intent(number: int, at_revision: int, *, hold_pico: int = USD, user: int = 1, **changes: Any) -> Intent:
    values: dict[str, Any] = {
        "request_id": number,
        "revision": at_revision,
        "user_id": user,
        "postpaid": False,
        "key_id": user,
        "limits": KeyLimits(),
        "provider_id": 1,
        "model_id": 1,
        "price_id": None,
        "endpoint": "chat",
        "stream": False,
        "bound": Bound(fixed_pico=hold_pico),
        "tokens_estimate": 0,
        "started_at_us": NOW_US,
    }
    return Intent(**{**values, **changes})


def make_settlement(intent: Intent, *, charge_pico: int = USD // 4, **changes: Any) -> Settlement:
    values: dict[str, Any] = {
        "intent": intent,
        "hold_pico": intent.bound.hold_pico(0),
        "tokens_held": 0,
        "source": UsageSource.PROVIDER,
        "status_code": 200,
        "meters": {"input_tokens": 3, "output_tokens": 4},
        "cost_pico": charge_pico,
        "charge_pico": charge_pico,
    }
    return Settlement(**{**values, **changes})


def post(connection: SqliteConnection, settlements: Sequence[Settlement], now_us: int, *, in_full: bool = True) -> None:
    """Admitted and settled in one group, at this instant. Each is charged in full, or as far as the balance reaches."""
    connection.execute("BEGIN IMMEDIATE")
    group = CommitGroup(connection, 0, now_us)
    intents = [one.intent for one in settlements]
    group.load(intents)
    for intent in intents:
        object.__setattr__(intent, "revision", revision(connection))
    assert all(isinstance(decision, Admitted) for decision in group.admit(intents))
    group.settle([replace(one, postpaid=in_full or one.postpaid) for one in settlements])
    group.save()
    connection.execute("COMMIT")
