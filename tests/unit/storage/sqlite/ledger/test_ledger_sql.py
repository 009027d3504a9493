"""Each rule of the books is broken by hand, and found."""

from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.ledger.ledger import VerificationResult
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.ledger.ledger_sql import RULES
from softix_proxy.storage.sqlite.ledger.ledger_sums import BALANCES, DAYS, SPEND
from softix_proxy.storage.sqlite.metering.budget_sums import SPENT
from softix_proxy.storage.sqlite.metering.cap_sums import SPENT as CAP_SPENT
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

BUDGET = """
INSERT INTO projects (id, public_id, user_id, name, created_at_us) VALUES (1, 'prj_ada', 1, 'ada', 1);
INSERT INTO key_owners (key_id, from_number, project_id) VALUES (1, 1, 1);
INSERT INTO budgets (id, public_id, user_id, project_id, period, amount_pico, created_at_us, spent_at_us)
  VALUES (1, 'bud_ada', 1, 1, 'day', 9223372036854775807, 1, 1);
INSERT INTO key_budgets (key_id, budget_id) VALUES (1, 1);
INSERT INTO caps (id, user_id, key_id, period, amount_pico, created_at_us)
  VALUES (1, 1, 1, 'day', 9223372036854775807, 1);
"""
"""The budget of a project that has ada's key, and a cap of this key."""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Two settled requests, an open one, and a key that was rotated."""
    database = make_database(tmp_path)
    connection = database.connect()
    connection.execute(
        "INSERT INTO keys (id, public_id, user_id, prefix, digest, rotated_from, created_at_us)"
        " VALUES (3, 'key_new', 1, 'sx_live_cccc', x'03', 1, 1)"
    )
    connection.execute(BUDGET)
    intents = [make_intent(n, revision(connection), user=user) for n, user in ((1, 1), (2, 2), (3, 1))]
    batch = CommitGroup(connection, 0, NOW_US)
    batch.load(intents)
    batch.admit(intents)
    failed = FailedAttempt(1, 1, None, Fraction(1), UsageSource.NONE, 500, "provider_fault", 1)
    batch.settle([make_settlement(intents[0], failed=(failed,)), make_settlement(intents[1])])
    batch.save()
    connection.execute(
        "INSERT INTO key_states (key_id, spent_at_us, spent_total_pico) SELECT 3, spent_at_us, spent_total_pico"
        " FROM key_states WHERE key_id = 1"
    )
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.close()
    return database


@pytest.fixture
async def storage(database: Database) -> AsyncIterator[SqliteStorage]:
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def verify(storage: SqliteStorage) -> VerificationResult:
    async with storage.snapshot() as unit:
        return await unit.ledger.verify()


ACCOUNT = "every entry is of a known account"
HELD = "a wallet's held money is the sum of its open holds"
KEY_HELD = "a key's open requests and held money are those of its open holds"
CHARGE = "every charge has its usage row"
USAGE = "every usage row has its charge"
CORRECTION = "every correction has its usage row"
EARLIER = "a correction is of a row of the same user and key, which is none itself"
FAILED = "a failed attempt is one of its request's"
COVERED = "a request's charge covers its failed attempts"
BOTH = "a request is open or settled, not both"
BUDGET_HELD = "a budget's held money is that of the open holds of its keys"
CAP_HELD = "a cap's held money is that of the open holds that count in it"
END_USER_HELD = "what an end user holds within a cap is that of the open holds that count in it"
BUDGET_KEYS = "a key's budgets are those of its owners"

CORRECTS = f"""
INSERT INTO usage (id, request_id, usage_at_us, user_id, key_id, provider_id, model_id, endpoint, stream, markup_num,
  markup_den, cost_pico, charge_pico, hold_pico, status_code, latency_ms, attempts, source, corrects_row_id)
SELECT {NOW_US + 9}, 9, 1, {{user}}, key_id, provider_id, model_id, endpoint, stream, 1, 1, 0, 0, 0, 200, 0, 0,
  'correction', {{of}} FROM usage WHERE id = {NOW_US}"""
BREAKS = {
    "UPDATE attempts SET request_id = 2": {FAILED: str(NOW_US)},
    "UPDATE usage SET attempts = 1 WHERE request_id = 1": {FAILED: str(NOW_US)},
    f"UPDATE attempts SET charge_pico = {2**60}": {COVERED: str(NOW_US)},
    "UPDATE wallets SET posted_pico = posted_pico + 1 WHERE user_id = 2": {BALANCES: "usr_bob"},
    "DELETE FROM transfers WHERE id = 1": {BALANCES: "usr_ada"},
    "UPDATE transfers SET amount_pico = amount_pico - 1 WHERE id = 2": {BALANCES: "usr_bob"},
    "UPDATE transfers SET from_account = -9 WHERE id = 1": {ACCOUNT: "1"},
    "UPDATE transfers SET to_account = 77 WHERE id = 1": {ACCOUNT: "1", BALANCES: "usr_ada"},
    "UPDATE wallets SET held_pico = held_pico + 1 WHERE user_id = 1": {HELD: "usr_ada"},
    "DELETE FROM wallets WHERE user_id = 1": {HELD: "usr_ada", ACCOUNT: "1"},
    "DELETE FROM key_states WHERE key_id = 1": {KEY_HELD: "key_ada", SPEND: "key_ada"},
    "UPDATE usage SET key_id = 9 WHERE request_id = 2": {SPEND: "key 9", DAYS: "day"},
    "DELETE FROM intents": {HELD: "usr_ada", KEY_HELD: "key_ada"},
    "UPDATE key_states SET held_pico = 0 WHERE key_id = 1": {KEY_HELD: "key_ada"},
    "UPDATE key_states SET open_requests = 2 WHERE key_id = 1": {KEY_HELD: "key_ada"},
    f"DELETE FROM usage WHERE id = {NOW_US}": {CHARGE: str(NOW_US), SPEND: "key_ada", DAYS: ""},
    f"UPDATE usage SET user_id = 2 WHERE id = {NOW_US}": {CHARGE: str(NOW_US)},
    f"UPDATE transfers SET to_account = -1 WHERE id = {NOW_US}": {CHARGE: str(NOW_US)},
    f"UPDATE transfers SET kind = 'correction' WHERE id = {NOW_US}": {USAGE: str(NOW_US)},
    f"UPDATE usage SET charge_pico = 0 WHERE id = {NOW_US}": {CHARGE: str(NOW_US), USAGE: str(NOW_US), DAYS: ""},
    "UPDATE intents SET request_id = 1": {BOTH: str(NOW_US)},
    "UPDATE key_states SET spent_total_pico = spent_total_pico + 1 WHERE key_id = 2": {SPEND: "key_bob"},
    "UPDATE key_states SET spent_total_pico = 0 WHERE key_id = 1": {SPEND: "key_ada"},
    "UPDATE key_states SET spent_total_pico = spent_total_pico + 1 WHERE key_id = 3": {SPEND: "key_new"},
    "UPDATE usage_daily SET charge_pico = charge_pico + 1 WHERE key_id = 1": {DAYS: ""},
    "UPDATE usage_daily SET requests = 9 WHERE key_id = 1": {DAYS: ""},
    "UPDATE usage_daily SET errors = 9 WHERE key_id = 1": {DAYS: ""},
    "UPDATE usage_daily SET input_tokens = 9 WHERE key_id = 1": {DAYS: ""},
    "UPDATE usage_daily SET output_tokens = 9 WHERE key_id = 1": {DAYS: ""},
    "DELETE FROM usage_daily WHERE key_id = 1": {DAYS: ""},
    f"INSERT INTO transfers VALUES ({NOW_US + 9}, 1, -2, 1, 'correction', NULL, NULL)": {CORRECTION: str(NOW_US + 9)},
    CORRECTS.format(of=NOW_US, user=2): {EARLIER: str(NOW_US + 9)},
    CORRECTS.format(of=NOW_US + 10, user=1): {EARLIER: str(NOW_US + 9)},
    "INSERT INTO usage_daily VALUES (1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0)": {DAYS: "day 1"},
    "UPDATE budgets SET held_pico = held_pico + 1": {BUDGET_HELD: "bud_ada"},
    "UPDATE budgets SET spent_pico = spent_pico - 1": {SPENT: "bud_ada"},
    "UPDATE budgets SET spent_at_us = 1": {SPENT: "bud_ada"},
    "DELETE FROM key_budgets": {BUDGET_KEYS: "key_ada", BUDGET_HELD: "bud_ada"},
    "INSERT INTO key_budgets VALUES (2, 1)": {BUDGET_KEYS: "key_bob"},
    "UPDATE caps SET held_pico = held_pico + 1": {CAP_HELD: "cap 1"},
    "UPDATE intents SET cap_ids = '[]'": {CAP_HELD: "cap 1"},
    "INSERT INTO cap_end_users (cap_id, end_user, held_pico) VALUES (1, 'x', 5)": {
        END_USER_HELD: "cap 1 of end user x"
    },
    "UPDATE caps SET spent_pico = spent_pico - 1": {CAP_SPENT: "cap 1"},
    "UPDATE key_owners SET until_number = 2": {BUDGET_KEYS: "key_ada", SPENT: "bud_ada"},
}


async def test_ledger_verify_with_correct_books_finds_no_violation(storage: SqliteStorage) -> None:
    assert await verify(storage) == VerificationResult(4, 2, 1, ())


@pytest.mark.parametrize("statement", BREAKS)
async def test_ledger_verify_with_a_broken_rule_reports_it(
    storage: SqliteStorage, database: Database, statement: str
) -> None:
    connection = database.connect()
    connection.execute(statement)
    assert connection.changes() == 1
    connection.close()
    violations = (await verify(storage)).violations
    for rule, subject in BREAKS[statement].items():
        assert any(found.rule == rule and subject in found.subject for found in violations), violations
    assert all(type(found.detail) is str and found.detail not in ("", "None") for found in violations)


def test_broken_statements_cover_every_rule() -> None:
    assert {rule for broken in BREAKS.values() for rule in broken} == {*RULES, BALANCES, SPEND, DAYS, SPENT, CAP_SPENT}


async def test_ledger_verify_with_many_violations_of_a_rule_reports_at_most_one_hundred(
    storage: SqliteStorage, database: Database
) -> None:
    connection = database.connect()
    connection.executemany(
        "INSERT INTO transfers VALUES (?, -8, -9, 1, 'adjustment', NULL, NULL)", [(n,) for n in range(1000, 1300)]
    )
    connection.close()
    assert len((await verify(storage)).violations) == 100
