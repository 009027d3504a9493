"""What a group of requests does to caps and limits by model, and that a key without them pays nothing for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.access.keys import KeyLimits, ModelRate
from softix_proxy.domain.access.limits import MINUTE_US
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Decision, Denied, Intent
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

MODELS = """
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us) VALUES
  (2, 'prv_openai', 'openai', 'demo', '', 'cancel', 1), (3, 'prv_router', 'router', 'demo', '', 'cancel', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES
  (2, 'gpt', 2, 'gpt', 1), (3, 'openai/gpt', 3, 'openai/gpt', 1);
"""
"""Model 1 is lab/llama, 2 openai/gpt, and 3 the model `openai/gpt` of the provider `router`."""


class Counting:
    """A connection that notes what it executes."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def execute(self, statement: str, *values: Any) -> Any:
        self.statements.append(statement)
        return self._connection.execute(statement, *values)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = make_database(tmp_path).connect()
    connection.execute(MODELS)
    yield connection
    connection.close()


def cap(books: SqliteConnection, amount_pico: int, **columns: Any) -> None:
    values = {"user_id": 1, "key_id": 1, "period": "day", "created_at_us": 1, "amount_pico": amount_pico, **columns}
    books.execute(
        f"INSERT INTO caps ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )


def decide(books: Any, *intents: Intent, now_us: int = NOW_US) -> list[Decision]:
    group = CommitGroup(books, 7, now_us)
    group.load(intents)
    decisions = group.admit(intents)
    group.save()
    return decisions


def settle(books: Any, *intents: Intent, charge_pico: int = 0, now_us: int = NOW_US, **changes: Any) -> None:
    group = CommitGroup(books, 7, now_us)
    group.load(intents)
    group.settle([make_settlement(intent, charge_pico=charge_pico, **changes) for intent in intents])
    group.save()


def states(books: SqliteConnection) -> list[tuple[int, ...]]:
    """(Held, spent) of each cap."""
    return list(books.execute("SELECT held_pico, spent_pico FROM caps ORDER BY id").fetchall())


def ask(books: SqliteConnection, number: int, hold_pico: int = 600, **changes: Any) -> Intent:
    return make_intent(number, revision(books), hold_pico=hold_pico, **changes)


def test_cap_refuses_what_spent_and_held_leave_no_room_for_and_names_itself(books: SqliteConnection) -> None:
    cap(books, 1000, models="lab/*", key_id=None)
    first, second = decide(books, ask(books, 1), ask(books, 2, 401))
    assert isinstance(first, Admitted) and isinstance(second, Denied)
    assert (second.code, second.available_pico) == (Code.CAP_REACHED, 400)
    assert second.limit == "cap of $0.000000001 a day for lab/* of the user of this API key"
    assert second.retry_after_us == calendar("UTC").at(NOW_US).end_us - NOW_US
    assert states(books) == [(600, 0)]


def test_keys_of_a_user_share_the_cap_of_the_user(books: SqliteConnection) -> None:
    books.execute(
        "INSERT INTO keys (id, public_id, user_id, prefix, digest, created_at_us) VALUES (3, 'key_b', 1, 'p', x'03', 1)"
    )
    cap(books, 1000, key_id=None)
    decisions = decide(books, ask(books, 1), ask(books, 2, key_id=3), ask(books, 3, user=2))
    assert [isinstance(one, Admitted) for one in decisions] == [True, False, True]


def test_raised_cap_has_the_old_amount_again_from_the_instant_of_its_end(books: SqliteConnection) -> None:
    """Nothing runs at the end, and no process is told of it."""
    end_us = NOW_US + 5
    cap(books, 1000, period="total", raised_pico=3000, raised_until_us=end_us)
    [first] = decide(books, ask(books, 1, 2000), now_us=end_us - 1)
    [at_the_end] = decide(books, ask(books, 2, 1), now_us=end_us)
    assert isinstance(first, Admitted)
    assert isinstance(at_the_end, Denied) and at_the_end.retry_after_us is None, "a total has no next period"
    assert isinstance(decide(books, ask(books, 3, 1), now_us=end_us - 1)[0], Admitted), "the clock went back"


def test_cap_with_a_zone_and_a_reset_day_begins_anew_with_its_own_period(books: SqliteConnection) -> None:
    cap(books, 1000, period="month", zone="Europe/Berlin", reset_day=15)
    last_us, first_us = parse_instant("2027-01-14T22:59:59.999999Z"), parse_instant("2027-01-14T23:00:00Z")
    intent = ask(books, 1, 1000)
    decide(books, intent, now_us=last_us - 5)
    settle(books, intent, charge_pico=1000, now_us=last_us - 5)
    [refused] = decide(books, ask(books, 2, 1), now_us=last_us)
    assert isinstance(refused, Denied) and refused.retry_after_us == 1
    assert isinstance(decide(books, ask(books, 3, 1000), now_us=first_us)[0], Admitted)


def test_provider_and_model_stay_apart_in_the_pattern_of_a_cap(books: SqliteConnection) -> None:
    cap(books, 1000, models="openai/*")
    decide(books, ask(books, 1, 100), ask(books, 2, 20, model_id=2), ask(books, 3, 3, model_id=3))
    assert states(books) == [(20, 0)]


def test_request_with_several_models_holds_for_each_and_is_charged_for_the_one_that_served(
    books: SqliteConnection,
) -> None:
    cap(books, 1000, models="openai/*")
    cap(books, 1000, models="lab/*")
    intent = ask(books, 1, other_models=(2,))
    decide(books, intent)
    assert states(books) == [(600, 0), (600, 0)]
    settle(books, make_intent(1, 0, hold_pico=600, model_id=2), charge_pico=7)
    assert states(books) == [(0, 7), (0, 0)]


def test_withdrawn_request_gives_its_hold_back_even_if_a_model_was_renamed(books: SqliteConnection) -> None:
    cap(books, 1000, models="lab/llama")
    intent = ask(books, 1)
    decide(books, intent)
    books.execute("UPDATE models SET name = 'other' WHERE id = 1")
    group = CommitGroup(books, 7, NOW_US)
    group.load([intent])
    group.forget([intent])
    group.save()
    assert states(books) == [(0, 0)]


def test_shares_of_a_cap_are_noted_once_by_the_settlement_that_reaches_them(books: SqliteConnection) -> None:
    cap(books, 1000, alerts="30,100", zone="Europe/Berlin")
    for number in (1, 2, 3):
        intent = ask(books, number, 200)
        decide(books, intent)
        settle(books, intent, charge_pico=200)
    [refused] = decide(books, ask(books, 4, 401))
    assert isinstance(refused, Denied)
    assert books.execute("SELECT percent FROM cap_alerts").fetchall() == [(30,)]
    intent = ask(books, 5, 300)
    decide(books, intent)
    settle(books, intent, charge_pico=300)
    assert isinstance(decide(books, ask(books, 6, 101))[0], Denied)
    assert books.execute("SELECT percent FROM cap_alerts").fetchall() == [(30,), (100,)], "the rest is too small"


def limited(books: SqliteConnection, number: int, *rates: ModelRate, **changes: Any) -> Intent:
    return ask(books, number, 1, limits=KeyLimits(model_rates=rates), **changes)


def test_limit_of_requests_a_minute_for_a_pattern_of_models_counts_across_groups(books: SqliteConnection) -> None:
    rate = ModelRate("lab/*", 2, None)
    decisions = [
        *decide(books, limited(books, 1, rate), limited(books, 2, rate)),
        *decide(books, limited(books, 3, rate)),
    ]
    assert [isinstance(one, Admitted) for one in decisions] == [True, True, False]
    refused = decisions[2]
    assert isinstance(refused, Denied) and refused.code is Code.RATE_LIMITED
    assert (refused.limit, refused.retry_after_us) == ("2 requests a minute for lab/*", MINUTE_US // 2)
    assert isinstance(decide(books, limited(books, 4, rate), now_us=NOW_US + MINUTE_US // 2)[0], Admitted)


def test_limit_of_tokens_a_minute_for_a_pattern_counts_what_was_used(books: SqliteConnection) -> None:
    rate = ModelRate("lab/*", None, 100)
    first = limited(books, 1, rate, tokens_bound=90)
    decide(books, first)
    [early] = decide(books, limited(books, 2, rate, tokens_estimate=20))
    assert isinstance(early, Denied) and early.code is Code.TOKENS_LIMITED
    settle(books, first, meters={"input_tokens": 3, "output_tokens": 4})
    assert isinstance(decide(books, limited(books, 3, rate, tokens_estimate=93))[0], Admitted), "7 were used"


def test_request_that_another_model_served_used_no_tokens_of_the_pattern(books: SqliteConnection) -> None:
    rate = ModelRate("openai/*", None, 100)
    first = limited(books, 1, rate, tokens_bound=90, other_models=(2,))
    decide(books, first)
    settle(books, first, meters={"output_tokens": 90})
    assert isinstance(decide(books, limited(books, 2, rate, tokens_estimate=100, model_id=2))[0], Admitted)


def test_key_without_caps_and_limits_by_model_runs_no_statement_for_them(books: SqliteConnection) -> None:
    intent = ask(books, 1)
    watched = Counting(books)
    decide(watched, intent)
    plain = len(watched.statements)
    settle(books, intent)
    cap(books, 1000, user_id=2, key_id=2)
    again = Counting(books)
    decide(again, ask(books, 2))
    assert len(again.statements) == plain
    assert books.execute("SELECT cap_ids FROM intents").fetchall() == [(None,)]
