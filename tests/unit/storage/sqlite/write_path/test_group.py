from collections.abc import Iterator
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, USD, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Allowance, Denied, Intent, RateCheck, Stale
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import Settled
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.group import CommitGroup, open_intents


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = make_database(tmp_path).connect()
    yield connection
    connection.close()


def group(books: SqliteConnection, *intents: Intent, now_us: int = NOW_US) -> CommitGroup:
    loaded = CommitGroup(books, 7, now_us)
    loaded.load(intents)
    return loaded


def admit(books: SqliteConnection, *intents: Intent) -> list[object]:
    batch = group(books, *intents)
    decisions = batch.admit(intents)
    batch.save()
    return list(decisions)


def wallet(books: SqliteConnection, user: int = 1) -> tuple[int, ...]:
    row: tuple[int, ...] = books.execute(
        "SELECT posted_pico, held_pico FROM wallets WHERE user_id = ?", (user,)
    ).fetchone()
    return row


def test_admission_with_sufficient_balance_holds_money_and_writes_an_intent(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books), stream=True)
    assert admit(books, intent) == [Admitted(USD, None, 0, Allowance())]
    assert wallet(books) == (POSTED_PICO, USD)
    assert books.execute("SELECT * FROM intents").fetchall() == [
        (1, 7, 1, 1, 1, 1, None, "chat", 1, USD, NOW_US, None, None)
    ]
    assert books.execute("SELECT open_requests, held_pico FROM key_states").fetchall() == [(1, USD)]


def test_group_with_more_holds_than_the_balance_denies_the_excess(books: SqliteConnection) -> None:
    asked = [make_intent(n, revision(books), hold_pico=POSTED_PICO // 2) for n in range(1, 5)]
    decisions = admit(books, *asked)
    assert [isinstance(decision, Admitted) for decision in decisions] == [True, True, False, False]
    assert wallet(books) == (POSTED_PICO, POSTED_PICO)


def test_admission_with_an_outdated_revision_is_stale_and_changes_nothing(books: SqliteConnection) -> None:
    assert admit(books, make_intent(1, revision(books) - 1)) == [Stale()]
    assert books.execute("SELECT count(*) FROM intents").fetchone() == (0,)
    assert wallet(books) == (POSTED_PICO, 0)


def test_settlement_writes_a_usage_row_and_a_charge_and_releases_the_hold(books: SqliteConnection) -> None:
    intent = make_intent(5, revision(books))
    admit(books, intent)
    batch = group(books, intent)
    assert batch.settle([make_settlement(intent)]) == [Settled(NOW_US, POSTED_PICO - USD // 4, USD // 4)]
    batch.save()
    assert wallet(books) == (POSTED_PICO - USD // 4, 0)
    assert books.execute("SELECT * FROM transfers WHERE kind = 'charge'").fetchall() == [
        (NOW_US, 1, -2, USD // 4, "charge", None, None)
    ]
    assert books.execute(
        "SELECT id, request_id, input_tokens, audio_ms, charge_pico, hold_pico FROM usage"
    ).fetchall() == [(NOW_US, 5, 3, None, USD // 4, USD)]
    assert books.execute("SELECT * FROM usage_daily").fetchall() == [
        (NOW_US // DAY_US, 1, 1, 1, 1, 1, 0, 3, 4, USD // 4, USD // 4)
    ]
    [state] = books.execute("SELECT * FROM key_states").fetchall()
    assert state == (1, 0, 0, 0, 0, NOW_US, *[USD // 4] * 4)


def test_hold_released_in_a_group_is_available_to_an_admission_of_the_same_group(books: SqliteConnection) -> None:
    first = make_intent(1, revision(books), hold_pico=POSTED_PICO)
    admit(books, first)
    second = make_intent(2, first.revision, hold_pico=POSTED_PICO // 2)
    batch = group(books, first, second)
    batch.settle([make_settlement(first)])
    assert isinstance(batch.admit([second])[0], Admitted)


def test_settlement_repeated_in_a_later_group_changes_nothing(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books))
    admit(books, intent)
    for later_us in (0, 1000):
        batch = group(books, intent, now_us=NOW_US + later_us)
        assert batch.settle([make_settlement(intent)]) == [Settled(NOW_US, POSTED_PICO - USD // 4, USD // 4)]
        batch.save()
    assert wallet(books) == (POSTED_PICO - USD // 4, 0)


def test_settlement_without_an_admission_writes_nothing(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books))
    assert group(books, intent).settle([make_settlement(intent)]) == [None]
    assert books.execute("SELECT count(*) FROM usage").fetchone() == (0,)


def test_usage_numbers_after_the_clock_goes_back_still_increase(books: SqliteConnection) -> None:
    for number, now_us in ((1, NOW_US), (2, NOW_US - 10**9), (3, NOW_US + 5)):
        intent = make_intent(number, revision(books))
        admit(books, intent)
        batch = group(books, intent, now_us=now_us)
        batch.settle([make_settlement(intent)])
        batch.save()
    assert [row[0] for row in books.execute("SELECT id FROM usage ORDER BY request_id")] == [
        NOW_US,
        NOW_US + 1,
        NOW_US + 5,
    ]


def test_token_rate_after_a_settlement_counts_the_used_tokens(books: SqliteConnection) -> None:
    limits = KeyLimits(tpm=600)
    intent = make_intent(1, revision(books), limits=limits, tokens_estimate=100)
    [admitted] = admit(books, intent)
    assert isinstance(admitted, Admitted)
    assert (admitted.tokens_held, admitted.allowance.tokens_remaining) == (100, 500)
    batch = group(books, intent)
    batch.settle([make_settlement(intent, tokens_held=100, meters={"input_tokens": 40})])
    batch.save()
    assert books.execute("SELECT tpm_tat_us FROM key_states").fetchone() == (NOW_US + 40 * 100_000,)


def test_forget_repeated_for_an_intent_releases_the_hold_once(books: SqliteConnection) -> None:
    intents = [make_intent(n, revision(books), user=n) for n in (1, 2)]
    admit(books, *intents)
    for _ in range(2):
        batch = group(books, intents[0])
        batch.forget([intents[0], intents[0]])
        batch.save()
    assert (wallet(books, 1), wallet(books, 2)) == ((POSTED_PICO, 0), (POSTED_PICO, USD))
    assert books.execute("SELECT request_id FROM intents").fetchall() == [(2,)]


def test_settlement_with_every_meter_stores_each_count(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books))
    admit(books, intent)
    meters = {name: number for number, name in enumerate(METERS, 1)}
    batch = group(books, intent)
    batch.settle([make_settlement(intent, meters=meters)])
    row = books.execute(f"SELECT {', '.join(METERS)} FROM usage").fetchone()
    assert row == tuple(meters.values())


def test_open_intents_with_given_slots_returns_only_their_intents(books: SqliteConnection) -> None:
    intents = [make_intent(n, revision(books)) for n in (3, 1, 2)]
    admit(books, *intents)
    books.execute("UPDATE intents SET slot = 8 WHERE request_id = 2")
    found = open_intents(books, [7], 10)
    assert [(one.intent.request_id, one.hold_pico) for one in found] == [(1, USD), (3, USD)]
    assert [one.intent.request_id for one in open_intents(books, [7, 8], 2)] == [1, 2]
    intent = found[0].intent
    assert (intent.user_id, intent.key_id, intent.endpoint, intent.bound) == (1, 1, "chat", Bound())


def test_reads_of_several_keys_count_against_the_rate_of_each(books: SqliteConnection) -> None:
    """Of two a minute, another one is allowed after half of it."""
    checks = [RateCheck(1, 1, KeyLimits(rpm=2)), RateCheck(2, 2, KeyLimits(rpm=60)), RateCheck(1, 1, KeyLimits(rpm=2))]
    batch = CommitGroup(books, 7, NOW_US)
    batch.load([], checks)
    assert batch.count(checks) == [Allowance(1, 30 * SECOND_US), Allowance(59, SECOND_US), Allowance(0, 60 * SECOND_US)]
    [denied] = batch.count(checks[:1])
    assert isinstance(denied, Denied) and (denied.code, denied.retry_after_us) == (Code.RATE_LIMITED, 30 * SECOND_US)
    batch.save()
    later = CommitGroup(books, 7, NOW_US + 30 * SECOND_US)
    later.load([], checks)
    assert later.count(checks[:1]) == [Allowance(0, 60 * SECOND_US)]
