from pathlib import Path

import pytest
from support.books import USD, make_database, make_intent, revision

from softix_proxy.storage import orphans, slots
from softix_proxy.storage.database import Database
from softix_proxy.storage.journal import CommitGroup


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = make_database(tmp_path)
    connection = database.connect()
    for slot, number in ((0, 10), (1, 11), (1, 5)):
        intent = make_intent(number, revision(connection))
        batch = CommitGroup(connection, slot, 1)
        batch.load([intent])
        batch.admit([intent])
        batch.save()
    connection.close()
    return database


def numbers(found: list[orphans.Orphan]) -> list[int]:
    return [orphan.intent.request_id for orphan in found]


def test_those_of_the_dead_only(database: Database) -> None:
    alive = slots.acquire(database.path)
    assert numbers(orphans.find(database, None)) == [5, 11]
    assert orphans.find(database, None)[0].hold_pico == USD
    alive.release()
    assert numbers(orphans.find(database, None)) == [5, 10, 11]


def test_at_the_start_those_of_the_own_slot_too(database: Database) -> None:
    own = slots.acquire(database.path)
    assert numbers(orphans.find(database, own.number)) == [5, 10, 11]
    own.release()


def test_looking_keeps_no_slot(database: Database) -> None:
    orphans.find(database, None)
    taken = [slots.acquire(database.path) for _ in range(2)]
    assert [slot.number for slot in taken] == [0, 1]
    assert orphans.find(database, None) == []
    for slot in taken:
        slot.release()


def test_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "_AT_ONCE", 2)
    assert numbers(orphans.find(database, None)) == [5, 10]
