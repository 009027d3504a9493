from pathlib import Path

import pytest
from support.books import USD, make_database, make_intent, revision

from softix_proxy.storage.sqlite.core import slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path import orphans
from softix_proxy.storage.sqlite.write_path.group import CommitGroup


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


def test_orphans_without_an_own_slot_are_only_of_dead_processes(database: Database) -> None:
    alive = slots.acquire(database.path)
    assert numbers(orphans.find(database, None)) == [5, 11]
    assert orphans.find(database, None)[0].hold_pico == USD
    alive.release()
    assert numbers(orphans.find(database, None)) == [5, 10, 11]


def test_orphans_with_an_own_slot_include_those_of_that_slot(database: Database) -> None:
    own = slots.acquire(database.path)
    assert numbers(orphans.find(database, own.number)) == [5, 10, 11]
    own.release()


def test_orphan_search_keeps_no_slot(database: Database) -> None:
    orphans.find(database, None)
    taken = [slots.acquire(database.path) for _ in range(2)]
    assert [slot.number for slot in taken] == [0, 1]
    assert orphans.find(database, None) == []
    for slot in taken:
        slot.release()


def test_orphan_search_with_more_orphans_than_the_limit_returns_the_first_ones(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_AT_ONCE", 2)
    assert numbers(orphans.find(database, None)) == [5, 10]
