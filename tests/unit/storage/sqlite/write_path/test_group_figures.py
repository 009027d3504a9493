"""What one group of admissions and settlements writes, where its members differ from each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.metering.admission import Admitted, Intent, Stale
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import FailedAttempt, Settled
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path import statements as sql
from softix_proxy.storage.sqlite.write_path.group import CommitGroup


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = make_database(tmp_path).connect()
    yield connection
    connection.close()


def group(books: SqliteConnection, *intents: Intent, now_us: int = NOW_US) -> CommitGroup:
    loaded = CommitGroup(books, 7, now_us)
    loaded.load(intents)
    return loaded


def admitted(books: SqliteConnection, *intents: Intent) -> CommitGroup:
    """A later group, in which these are open."""
    first = group(books, *intents)
    assert all(isinstance(decision, Admitted) for decision in first.admit(intents))
    first.save()
    return group(books, *intents)


def wallets(books: SqliteConnection) -> list[tuple[int, ...]]:
    return list(books.execute("SELECT posted_pico, held_pico FROM wallets ORDER BY user_id").fetchall())


def test_group_of_several_users_settles_each_by_its_own_wallet_key_and_number(books: SqliteConnection) -> None:
    at = revision(books)
    ada, bob = make_intent(1, at, hold_pico=30), make_intent(2, at, hold_pico=50, user=2)
    batch = admitted(books, ada, bob)
    settled = batch.settle([make_settlement(bob, charge_pico=20), make_settlement(ada, charge_pico=7)])
    assert settled == [Settled(NOW_US, POSTED_PICO - 20, 20), Settled(NOW_US + 1, POSTED_PICO - 7, 7)]
    batch.save()
    assert wallets(books) == [(POSTED_PICO - 7, 0), (POSTED_PICO - 20, 0)]
    keys = books.execute("SELECT key_id, open_requests, held_pico, spent_total_pico FROM key_states ORDER BY key_id")
    assert keys.fetchall() == [(1, 0, 0, 7), (2, 0, 0, 20)]
    charges = books.execute("SELECT id, from_account, to_account, amount_pico FROM transfers WHERE kind = 'charge'")
    assert charges.fetchall() == [(NOW_US, 2, -2, 20), (NOW_US + 1, 1, -2, 7)]
    assert books.execute("SELECT count(*) FROM intents").fetchone() == (0,)


def test_settlement_without_a_charge_is_a_row_and_no_transfer(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books))
    batch = admitted(books, intent)
    assert batch.settle([make_settlement(intent, charge_pico=0)]) == [Settled(NOW_US, POSTED_PICO, 0)]
    assert books.execute("SELECT charge_pico FROM usage").fetchall() == [(0,)]
    assert books.execute("SELECT count(*) FROM transfers WHERE kind = 'charge'").fetchone() == (0,)


def test_settled_balance_leaves_out_what_other_requests_hold(books: SqliteConnection) -> None:
    at = revision(books)
    done, running = make_intent(1, at, hold_pico=30), make_intent(2, at, hold_pico=50)
    batch = admitted(books, done, running)
    assert batch.settle([make_settlement(done, charge_pico=7)]) == [Settled(NOW_US, POSTED_PICO - 7 - 50, 7)]


def test_settlement_repeated_in_a_group_with_a_new_one_returns_its_first_result(books: SqliteConnection) -> None:
    at = revision(books)
    first, second = make_intent(1, at, hold_pico=30), make_intent(2, at, hold_pico=50)
    batch = admitted(books, first, second)
    batch.settle([make_settlement(first, charge_pico=7)])
    batch.save()
    later = group(books, first, second, now_us=NOW_US + 100)
    settled = later.settle([make_settlement(first, charge_pico=7), make_settlement(second, charge_pico=9)])
    later.save()
    assert settled == [Settled(NOW_US, POSTED_PICO - 16, 7), Settled(NOW_US + 100, POSTED_PICO - 16, 9)]
    assert wallets(books)[0] == (POSTED_PICO - 16, 0)
    assert books.execute("SELECT id, request_id FROM usage ORDER BY id").fetchall() == [(NOW_US, 1), (NOW_US + 100, 2)]


def test_group_with_nothing_to_do_decides_and_settles_nothing(books: SqliteConnection) -> None:
    batch = group(books)
    assert (batch.admit([]), batch.settle([])) == ([], [])


def test_stale_intent_does_not_keep_the_others_from_being_admitted(books: SqliteConnection) -> None:
    at = revision(books)
    intents = [make_intent(1, at - 1), make_intent(2, at)]
    batch = group(books, *intents)
    stale, decision = batch.admit(intents)
    assert stale == Stale() and isinstance(decision, Admitted)
    assert books.execute("SELECT request_id, slot FROM intents").fetchall() == [(2, 7)]


def test_request_of_a_batch_is_settled_without_closing_an_open_request(books: SqliteConnection) -> None:
    """What is parked was not counted among the key's open requests."""
    at = revision(books)
    parked, running = make_intent(1, at, hold_pico=30), make_intent(2, at, hold_pico=50)
    admitted(books, parked, running)
    books.execute("UPDATE intents SET slot = -1 WHERE request_id = 1")
    books.execute("UPDATE key_states SET open_requests = 1")
    batch = group(books, parked, running)
    batch.settle([make_settlement(parked, charge_pico=7)])
    batch.save()
    assert books.execute("SELECT open_requests, held_pico FROM key_states").fetchall() == [(1, 50)]
    batch = group(books, running)
    batch.settle([make_settlement(running, charge_pico=7)])
    batch.save()
    assert books.execute("SELECT open_requests, held_pico FROM key_states").fetchall() == [(0, 0)]


def test_hold_that_is_taken_back_frees_the_wallet_and_the_key(books: SqliteConnection) -> None:
    at = revision(books)
    intents = make_intent(1, at, hold_pico=30), make_intent(2, at, hold_pico=50)
    batch = admitted(books, *intents)
    batch.forget(intents[:1])
    batch.save()
    assert wallets(books)[0] == (POSTED_PICO, 50)
    assert books.execute("SELECT open_requests, held_pico, spent_at_us FROM key_states").fetchall() == [(1, 50, 0)]


def test_day_s_sums_of_a_group_are_by_key_and_model_and_count_errors(books: SqliteConnection) -> None:
    at = revision(books)
    intents = [make_intent(n, at, hold_pico=50, user=2 if n == 3 else 1) for n in (1, 2, 3, 4)]
    batch = admitted(books, *intents)
    used = {"input_tokens": 3, "cached_input_tokens": 10, "output_tokens": 4}
    batch.settle(
        [
            make_settlement(intents[0], charge_pico=7, cost_pico=5, meters=used),
            make_settlement(intents[1], charge_pico=9, cost_pico=6, meters={"output_tokens": 1}, error="internal"),
            make_settlement(intents[2], charge_pico=20, cost_pico=8, meters={}),
            make_settlement(intents[3], charge_pico=0, cost_pico=0, meters={}, error="internal"),
        ]
    )
    day = NOW_US // DAY_US
    rows = books.execute(
        "SELECT day, key_id, model_id, user_id, provider_id, requests, errors, input_tokens, output_tokens,"
        " cost_pico, charge_pico FROM usage_daily ORDER BY key_id"
    ).fetchall()
    assert rows == [(day, 1, 1, 1, 1, 3, 2, 13, 5, 11, 16), (day, 2, 1, 2, 1, 1, 0, 0, 0, 8, 20)]


def test_day_s_sums_of_numbers_on_both_sides_of_midnight_are_two(books: SqliteConnection) -> None:
    at = revision(books)
    intents = [make_intent(n, at, hold_pico=50) for n in (1, 2, 3)]
    admitted(books, *intents)
    midnight_us = (NOW_US // DAY_US + 1) * DAY_US
    batch = group(books, *intents, now_us=midnight_us - 1)
    batch.settle([make_settlement(intent, charge_pico=intent.request_id) for intent in intents])
    rows = books.execute("SELECT day, requests, charge_pico FROM usage_daily ORDER BY day").fetchall()
    assert rows == [(midnight_us // DAY_US - 1, 1, 1), (midnight_us // DAY_US, 2, 5)]


def test_days_of_sums_and_of_spend_are_those_of_the_zone(books: SqliteConnection) -> None:
    """At 18:30 UTC it is midnight in Kolkata."""
    books.execute("INSERT OR REPLACE INTO instance (name, value) VALUES ('zone', CAST('Asia/Kolkata' AS BLOB))")
    evening_us, night_us = parse_instant("2027-01-15T18:29:59Z"), parse_instant("2027-01-15T18:30:00Z")
    at = revision(books)
    for number, now_us in ((1, evening_us), (2, night_us)):
        intent = make_intent(number, at, hold_pico=50)
        admitted(books, intent)
        batch = group(books, intent, now_us=now_us)
        batch.settle([make_settlement(intent, charge_pico=10**number)])
        batch.save()
    there = calendar("Asia/Kolkata")
    rows = books.execute("SELECT day, charge_pico FROM usage_daily ORDER BY day").fetchall()
    assert rows == [(there.day(evening_us), 10), (there.day(night_us), 100)]
    assert books.execute("SELECT spent_day_pico, spent_total_pico FROM key_states").fetchall() == [(100, 110)]


FAILED = FailedAttempt(
    provider_id=1,
    model_id=1,
    price_id=None,
    markup=Fraction(43, 40),
    source=UsageSource.ESTIMATE,
    status_code=503,
    error="provider_unreachable",
    latency_ms=40,
    meters={"input_tokens": 9},
    service_tier="flex",
    bound_pico=11,
    cost_pico=12,
    charge_pico=13,
)


def test_attempts_that_failed_are_rows_of_the_request_in_their_order(books: SqliteConnection) -> None:
    at = revision(books)
    plain, retried = make_intent(1, at, hold_pico=50), make_intent(2, at, hold_pico=50)
    batch = admitted(books, plain, retried)
    failed = (FAILED, replace(FAILED, status_code=429, meters={}))
    batch.settle([make_settlement(plain), make_settlement(retried, failed=failed)])
    assert books.execute("SELECT request_id, attempts FROM usage ORDER BY id").fetchall() == [(1, 1), (2, 3)]
    rows = books.execute(
        "SELECT usage_id, sequence, request_id, user_id, provider_id, model_id, status_code, error, latency_ms, source,"
        " service_tier, price_id, markup_num, markup_den, bound_pico, cost_pico, charge_pico FROM attempts"
        " ORDER BY sequence"
    ).fetchall()
    same = ("provider_unreachable", 40, "estimate", "flex", None, 43, 40, 11, 12, 13)
    assert rows == [(NOW_US + 1, 1, 2, 1, 1, 1, 503, *same), (NOW_US + 1, 2, 2, 1, 1, 1, 429, *same)]
    told = books.execute("SELECT meters FROM attempts ORDER BY sequence").fetchall()
    assert [json.loads(meters) for (meters,) in told] == [{"input_tokens": 9}, {}]


def test_group_larger_than_a_statement_is_written_whole_and_once(books: SqliteConnection) -> None:
    many = sql.MOST_ROWS + 1
    at = revision(books)
    intents = [make_intent(n, at, hold_pico=5) for n in range(1, many + 1)]
    batch = admitted(books, *intents)
    assert books.execute("SELECT count(*), sum(hold_pico) FROM intents").fetchone() == (many, 5 * many)
    batch.settle([make_settlement(intent, charge_pico=1) for intent in intents])
    batch.save()
    assert books.execute("SELECT count(*), max(id) FROM usage").fetchone() == (many, NOW_US + many - 1)
    assert wallets(books)[0] == (POSTED_PICO - many, 0)


def test_tokens_a_minute_without_a_limit_are_left_as_they_are(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books), limits=KeyLimits())
    batch = admitted(books, intent)
    batch.settle([make_settlement(intent, meters={"input_tokens": 40})])
    batch.save()
    assert books.execute("SELECT tpm_tat_us FROM key_states").fetchone() == (0,)


def test_bound_of_an_intent_that_is_short_of_money_leaves_no_trace(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books), bound=Bound(fixed_pico=POSTED_PICO + 1))
    batch = group(books, intent)
    [decision] = batch.admit([intent])
    batch.save()
    assert not isinstance(decision, Admitted)
    assert wallets(books)[0] == (POSTED_PICO, 0) and books.execute("SELECT count(*) FROM intents").fetchone() == (0,)


@pytest.mark.parametrize(
    ("ahead_us", "number_us"),
    [(365 * DAY_US, NOW_US), (DAY_US // 48, NOW_US + DAY_US // 48 + 1)],
    ids=["a year", "half an hour"],
)
def test_number_after_a_posting_of_a_clock_that_was_ahead_skips_only_a_short_lead(
    books: SqliteConnection, ahead_us: int, number_us: int
) -> None:
    """One that was a year ahead for a moment does not carry along what follows; half an hour is caught up with."""
    intents = [make_intent(number, revision(books), hold_pico=5) for number in (1, 2)]
    admitted(books, *intents)
    ahead = group(books, intents[0], now_us=NOW_US + ahead_us)
    assert ahead.settle([make_settlement(intents[0], charge_pico=0)]) == [
        Settled(NOW_US + ahead_us, POSTED_PICO - 5, 0)
    ]
    ahead.save()
    [settled] = group(books, intents[1]).settle([make_settlement(intents[1], charge_pico=0)])
    assert settled is not None and settled.usage_id == number_us


def test_hold_that_is_taken_back_in_its_own_group_leaves_nothing(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books), hold_pico=30)
    batch = group(books, intent)
    batch.admit([intent])
    batch.forget([intent])
    batch.save()
    assert wallets(books)[0] == (POSTED_PICO, 0)
    assert books.execute("SELECT count(*) FROM intents").fetchone() == (0,)


def test_key_with_impossible_arrival_times_is_admitted(books: SqliteConnection) -> None:
    """They are of a clock that was a year ahead."""
    limited = make_intent(1, revision(books), hold_pico=30, limits=KeyLimits(rpm=1))
    admitted(books, limited)
    books.execute("UPDATE key_states SET rpm_tat_us = ?", (NOW_US + 365 * DAY_US,))
    [decision] = group(books, limited).admit([replace(limited, request_id=2)])
    assert isinstance(decision, Admitted)
