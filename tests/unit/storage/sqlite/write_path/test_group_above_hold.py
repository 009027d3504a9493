"""Charges above their holds: what the balance pays of them, what is written down, and what is held from then on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.books import NOW_US, POSTED_PICO, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.admission import Admitted, Intent, Stale
from softix_proxy.domain.metering.bounds import Bound, Widening
from softix_proxy.domain.metering.settlement import Settled, Settlement
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

ROWS = "SELECT request_id, charge_pico, note FROM usage ORDER BY request_id"
WIDENED = (
    "SELECT model_id, member, excess_pico, factor_permille, dearest_pico, times, missing_pico, uncharged_pico,"
    " first_at_us, last_at_us, last_request_id FROM widened_bounds ORDER BY member"
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return make_database(tmp_path)


@pytest.fixture
def books(database: Database) -> Iterator[SqliteConnection]:
    connection = database.connect()
    yield connection
    connection.close()


def group(books: SqliteConnection, *intents: Intent, now_us: int = NOW_US) -> CommitGroup:
    loaded = CommitGroup(books, 7, now_us)
    loaded.load(intents)
    return loaded


def settle(books: SqliteConnection, *settlements: Settlement, now_us: int = NOW_US) -> list[Settled | None]:
    """Admits the intents in one group, and settles them in another."""
    intents = [each.intent for each in settlements]
    first = group(books, *intents, now_us=now_us)
    assert all(isinstance(decision, Admitted) for decision in first.admit(intents))
    first.save()
    second = group(books, *intents, now_us=now_us)
    settled = second.settle(settlements)
    second.save()
    return settled


def asked(books: SqliteConnection, number: int, hold_pico: int, charge_pico: int, **changes: Any) -> Settlement:
    user = changes.pop("user", 1)
    intent = make_intent(number, revision(books), hold_pico=hold_pico, user=user)
    return make_settlement(intent, charge_pico=charge_pico, note="above_hold", **changes)


def wallet(books: SqliteConnection, user: int = 1) -> tuple[int, ...]:
    row: tuple[int, ...] = books.execute(
        "SELECT posted_pico, held_pico FROM wallets WHERE user_id = ?", (user,)
    ).fetchone()
    return row


def test_charge_above_its_hold_is_charged_whole_if_the_balance_reaches(books: SqliteConnection) -> None:
    settled = settle(books, asked(books, 1, 30, 100))
    assert settled == [Settled(NOW_US, POSTED_PICO - 100, 100)] and wallet(books) == (POSTED_PICO - 100, 0)
    assert books.execute(ROWS).fetchall() == [(1, 100, "above_hold")]
    assert books.execute("SELECT amount_pico FROM transfers WHERE kind = 'charge'").fetchall() == [(100,)]
    assert books.execute("SELECT charge_pico FROM usage_daily").fetchall() == [(100,)]
    assert books.execute(WIDENED).fetchall() == [(1, "", 70, 3334, 100, 1, 70, 0, NOW_US, NOW_US, 1)]


def test_charge_above_its_hold_leaves_what_other_requests_hold(books: SqliteConnection) -> None:
    other = make_intent(2, revision(books), hold_pico=POSTED_PICO - 50)
    first = group(books, other)
    first.admit([other])
    first.save()
    settled = settle(books, asked(books, 1, 30, 1000))
    assert settled == [Settled(NOW_US, POSTED_PICO - 50 - (POSTED_PICO - 50), 50)]
    assert wallet(books) == (POSTED_PICO - 50, POSTED_PICO - 50)
    assert books.execute(ROWS).fetchall() == [(1, 50, "above_hold limited_to_balance")]
    assert books.execute(WIDENED).fetchone()[5:8] == (1, 970, 950)


def test_charge_above_its_hold_uses_the_credit_limit(books: SqliteConnection) -> None:
    books.execute("UPDATE wallets SET credit_pico = 40 WHERE user_id = 1")
    [settled] = settle(books, asked(books, 1, 30, 2 * POSTED_PICO))
    assert settled is not None and settled.charge_pico == POSTED_PICO + 40
    assert wallet(books) == (-40, 0)


def test_charge_above_its_hold_is_the_hold_if_the_balance_has_sunk_meanwhile(books: SqliteConnection) -> None:
    settlement = asked(books, 1, 30, 100)
    first = group(books, settlement.intent)
    first.admit([settlement.intent])
    first.save()
    books.execute("UPDATE wallets SET posted_pico = -5 WHERE user_id = 1")
    second = group(books, settlement.intent)
    assert second.settle([settlement]) == [Settled(NOW_US, -35, 30)]


def test_charge_of_a_postpaid_user_above_its_hold_is_whole_and_widens_too(books: SqliteConnection) -> None:
    settled = settle(books, asked(books, 1, 30, 3 * POSTED_PICO, postpaid=True))
    assert settled == [Settled(NOW_US, -2 * POSTED_PICO, 3 * POSTED_PICO)]
    assert books.execute(WIDENED).fetchone()[5:8] == (1, 3 * POSTED_PICO - 30, 0)


def test_charges_above_their_holds_in_one_group_share_the_balance(books: SqliteConnection) -> None:
    books.execute("UPDATE wallets SET posted_pico = 100 WHERE user_id = 1")
    both = [asked(books, 1, 30, 80), asked(books, 2, 10, 80)]
    settled = settle(books, *both)
    assert [one.charge_pico for one in settled if one] == [80, 20] and wallet(books) == (0, 0)
    assert books.execute(ROWS).fetchall() == [(1, 80, "above_hold"), (2, 20, "above_hold limited_to_balance")]


def test_settlement_above_its_hold_repeated_changes_nothing_and_returns_the_same(books: SqliteConnection) -> None:
    settlement = asked(books, 1, 30, 100)
    first = settle(books, settlement)
    again = group(books, settlement.intent)
    assert again.settle([settlement]) == first
    again.save()
    assert wallet(books) == (POSTED_PICO - 100, 0)
    assert books.execute("SELECT times FROM widened_bounds").fetchall() == [(1,)]


def test_excess_of_a_request_with_members_widens_for_these_members_only(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 30, 100, members=("documents", "tools")))
    assert [row[:3] for row in books.execute(WIDENED).fetchall()] == [(1, "documents", 70), (1, "tools", 70)]


def test_excesses_of_one_model_keep_the_widest_and_add_the_counts_up(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 30, 100))
    settle(books, asked(books, 2, 30, 60), now_us=NOW_US + 10)
    settle(books, asked(books, 3, 1000, 1100, widened_pico=60), now_us=NOW_US + 20)
    assert books.execute(WIDENED).fetchall() == [(1, "", 160, 3334, 1100, 3, 200, 0, NOW_US, NOW_US + 20, 3)]


def test_sums_of_excesses_stop_at_what_their_columns_hold(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 30, MAX_PICO, cost_pico=0), asked(books, 2, 30, MAX_PICO, cost_pico=0))
    [row] = books.execute(WIDENED).fetchall()
    assert row[5:7] == (2, MAX_PICO) and row[7] <= MAX_PICO


def test_request_in_the_group_that_widens_its_bound_is_stale(books: SqliteConnection) -> None:
    """Its bound is the old one. It is made anew, from a directory that has the wider one."""
    done, new = asked(books, 1, 30, 100), make_intent(2, revision(books), hold_pico=30)
    first = group(books, done.intent)
    first.admit([done.intent])
    first.save()
    both = group(books, done.intent, new)
    both.settle([done])
    assert both.admit([new]) == [Stale()]
    again = make_intent(2, revision(books), hold_pico=30)
    assert isinstance(both.admit([again])[0], Admitted)


def test_excess_that_widens_nothing_leaves_the_directory_current(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 30, 100))
    at = revision(books)
    settle(books, asked(books, 2, 30, 99))
    assert revision(books) == at


def test_intent_of_a_widened_bound_has_the_part_that_was_added(books: SqliteConnection) -> None:
    wide = Bound(fixed_pico=30, widening=Widening(70, 1000, 100))
    intents = [make_intent(1, revision(books), bound=wide), make_intent(2, revision(books), hold_pico=30)]
    batch = group(books, *intents)
    assert [each.widened_pico for each in batch.admit(intents) if isinstance(each, Admitted)] == [70, 0]
    found = books.execute("SELECT hold_pico, widened_pico FROM intents ORDER BY request_id").fetchall()
    assert found == [(100, 70), (30, None)]


# Whatever comes

step = st.tuples(
    st.integers(1, 2), st.integers(0, POSTED_PICO // 3), st.integers(0, POSTED_PICO), st.booleans(), st.booleans()
)
"""The user, the hold, the charge, whether it is settled in the group of its admission, and whether postpaid."""


async def verified(database: Database) -> None:
    await database.open()
    try:
        assert (await SqliteStorage(database).reading().ledger.verify()).violations == ()
    finally:
        await database.close()


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(step, min_size=1, max_size=12), st.integers(0, POSTED_PICO))
async def test_balance_is_never_below_its_credit_limit_whatever_is_charged(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int, bool, bool]], credit: int
) -> None:
    database = make_database(tmp_path_factory.mktemp("books"))
    connection = database.connect()
    connection.execute("UPDATE wallets SET credit_pico = ?", (credit,))
    waiting: list[Settlement] = []
    for number, (user, hold, charge, at_once, more) in enumerate(steps, 1):
        one = make_intent(number, revision(connection), hold_pico=hold, user=user)
        batch = group(connection, one, *(each.intent for each in waiting), now_us=NOW_US + number)
        done = waiting if more else []
        settled = batch.settle(done)
        for settlement, told in zip(done, settled, strict=True):
            assert told is not None
            assert min(settlement.charge_pico, settlement.hold_pico) <= told.charge_pico <= settlement.charge_pico
        waiting = [] if more else waiting
        intent = make_intent(number, revision(connection), hold_pico=hold, user=user)
        [decision] = batch.admit([intent])
        if isinstance(decision, Admitted):
            note = "above_hold" if charge > hold else None
            waiting.append(make_settlement(intent, charge_pico=charge, note=note))
        batch.save()
        if waiting and at_once:
            later = group(connection, waiting[-1].intent, now_us=NOW_US + number)
            later.settle([waiting.pop()])
            later.save()
        for posted, held, limit in connection.execute("SELECT posted_pico, held_pico, credit_pico FROM wallets"):
            assert posted - held + limit >= 0 and held >= 0
    last = group(connection, *(each.intent for each in waiting), now_us=NOW_US + 100)
    last.settle(waiting)
    last.save()
    connection.close()
    await verified(database)


async def test_balance_with_many_threads_is_charged_to_zero_and_no_further(database: Database) -> None:
    """Four writers settle at once what costs far more than it holds, each in transactions of its own."""
    prepared = database.connect()
    settlements = [asked(prepared, number, 1000, POSTED_PICO // 20) for number in range(1, 41)]
    first = group(prepared, *(each.intent for each in settlements))
    first.admit([each.intent for each in settlements])
    first.save()
    prepared.close()
    told: list[int] = []

    def work(some: list[Settlement]) -> None:
        connection = database.connect()
        for settlement in some:
            connection.execute("BEGIN IMMEDIATE")
            batch = group(connection, settlement.intent)
            [settled] = batch.settle([settlement])
            batch.save()
            connection.execute("COMMIT")
            assert settled is not None
            told.append(settled.charge_pico)
        connection.close()

    threads = [threading.Thread(target=work, args=(settlements[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books = database.connect()
    assert sum(told) == POSTED_PICO and wallet(books) == (0, 0)
    books.close()
    await verified(database)


def test_charge_at_its_hold_widens_nothing(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 100, 100))
    assert books.execute(WIDENED).fetchall() == []


def test_charge_of_all_that_the_balance_has_is_not_limited(books: SqliteConnection) -> None:
    settle(books, asked(books, 1, 30, POSTED_PICO))
    assert books.execute(ROWS).fetchall() == [(1, POSTED_PICO, "above_hold")] and wallet(books) == (0, 0)
