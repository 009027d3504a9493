"""Names are resolved within admission, and what an answer leaves at the provider is recorded within its settlement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, make_intent, make_settlement, post, revision
from support.books import fill as fill_books

from softix_proxy.domain.access.objects import AccountPlace, NewObject, ObjectRef
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Decision, Denied, Intent, IntentPlace
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

MAIN, SPARE = AccountPlace(1, "main"), AccountPlace(1, "spare")
RESPONSE, ITEM = ObjectRef("response", "r"), ObjectRef("item", "i")
PLACES = (IntentPlace(MAIN, 1, None), IntentPlace(SPARE, 1, None))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    fill_books(database)
    opened = database.connect()
    yield opened
    opened.close()


def keep(
    connection: SqliteConnection, number: int, user: int, place: AccountPlace, *refs: ObjectRef, at: int = 0
) -> None:
    """Settles a request of the user, of whose answer the provider keeps these."""
    objects = tuple(NewObject(place, ref, user, user, NOW_US + at) for ref in refs)
    intent = make_intent(number, revision(connection), user=user)
    post(connection, [make_settlement(intent, objects=objects)], NOW_US)


def ask(connection: SqliteConnection, number: int, user: int, *refs: ObjectRef, **changes: Any) -> Decision:
    intent: Intent = make_intent(number, revision(connection), user=user, refs=refs, **{"places": PLACES, **changes})
    connection.execute("BEGIN IMMEDIATE")
    group = CommitGroup(connection, 0, NOW_US)
    group.load([intent])
    [decision] = group.admit([intent])
    group.save()
    connection.execute("COMMIT")
    return decision


def held(connection: SqliteConnection, user: int) -> int:
    return int(connection.execute("SELECT held_pico FROM wallets WHERE user_id = ?", (user,)).fetchone()[0])


def test_request_of_the_owner_is_admitted_for_the_account_that_has_the_thing(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, SPARE, RESPONSE, ITEM)
    decision = ask(connection, 2, 1, RESPONSE, ITEM)
    assert isinstance(decision, Admitted) and decision.place == SPARE and held(connection, 1) > 0


def test_unknown_and_foreign_names_get_the_same_denial_and_hold_nothing(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, MAIN, RESPONSE, ITEM)
    for ref in (RESPONSE, ITEM):
        foreign = ask(connection, 2, 2, ref)
        assert foreign == ask(connection, 3, 2, ObjectRef(ref.kind, "nobody-s"))
        assert foreign == Denied(Code.OBJECT_NOT_FOUND, about=ref.kind) and held(connection, 2) == 0


def test_things_in_two_accounts_are_denied(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, MAIN, RESPONSE)
    keep(connection, 2, 1, SPARE, ITEM)
    assert ask(connection, 3, 1, RESPONSE, ITEM) == Denied(Code.OBJECT_ELSEWHERE, about="response")
    assert ask(connection, 4, 1, ITEM, places=PLACES[:1]) == Denied(Code.OBJECT_ELSEWHERE, about="item")


def test_name_that_is_given_out_again_belongs_to_its_newest_owner(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, MAIN, RESPONSE, ITEM)
    keep(connection, 2, 2, MAIN, RESPONSE, ITEM, at=1)
    for number, ref in enumerate((RESPONSE, ITEM), 10):
        assert isinstance(ask(connection, number, 1, ref), Denied)
        assert isinstance(ask(connection, number, 2, ref), Admitted)


def test_thing_that_is_told_of_again_stays_as_it_was(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, MAIN, RESPONSE)
    keep(connection, 2, 1, MAIN, RESPONSE, at=5)
    [row] = connection.execute("SELECT user_id, created_at_us FROM objects").fetchall()
    assert row == (1, NOW_US)


def test_intent_names_the_target_of_the_account_that_has_the_thing(connection: SqliteConnection) -> None:
    keep(connection, 1, 1, SPARE, RESPONSE)
    places = (IntentPlace(MAIN, 1, None), IntentPlace(SPARE, 1, 7))
    assert isinstance(ask(connection, 2, 1, RESPONSE, places=places), Admitted)
    assert connection.execute("SELECT price_id FROM intents").fetchall() == [(7,)]


def test_resolving_reads_by_indexes_only(connection: SqliteConnection) -> None:
    from softix_proxy.storage.sqlite.write_path.object_statements import RESOLVE

    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {RESOLVE}", ("[]", 1))]
    scanned = [step for step in plan if step.startswith("SCAN") and "json_each" not in step and "found" not in step]
    assert [step for step in scanned if "VIRTUAL TABLE" not in step] == []


def test_name_that_leads_nowhere_does_not_keep_the_others_from_being_admitted(connection: SqliteConnection) -> None:
    at = revision(connection)
    intents = [make_intent(1, at, refs=(RESPONSE,), places=PLACES), make_intent(2, at)]
    group = CommitGroup(connection, 0, NOW_US)
    group.load(intents)
    denied, admitted = group.admit(intents)
    assert denied == Denied(Code.OBJECT_NOT_FOUND, about="response") and isinstance(admitted, Admitted)
    assert connection.execute("SELECT request_id FROM intents").fetchall() == [(2,)]
