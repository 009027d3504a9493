"""Each table and each column of the schema has its place in the tables of the audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.accounts.audited_tables import AUDITED, NOT_AUDITED, NOT_REFERENCES, REFERENCES
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

SECRETS = ("digest", "sealed", "hash", "secret", "email", "name", "label", "note", "details", "document", "links")
NAMES_OF_SOFTIX = {
    ("instance", "name"),
    ("limit_templates", "name"),
    ("models", "name"),
    ("models", "upstream_name"),
    ("periods", "label"),
    ("providers", "name"),
    ("routes", "name"),
    ("webhook_endpoints", "old_secret_until_us"),
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteConnection]:
    path: Path = tmp_path_factory.mktemp("schema") / "softix.db"
    database = Database(path, SystemClock())
    database.create()
    made = database.connect()
    yield made
    made.close()


def columns(connection: SqliteConnection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def test_every_table_is_followed_or_has_a_reason_not_to_be(connection: SqliteConnection) -> None:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = {name for (name,) in connection.execute(query)}
    assert AUDITED.keys() & NOT_AUDITED.keys() == set()
    assert AUDITED.keys() | NOT_AUDITED.keys() == tables
    assert all(reason.endswith(".") for reason in NOT_AUDITED.values())


@pytest.mark.parametrize("table", AUDITED)
def test_every_column_of_a_followed_table_is_in_one_list(connection: SqliteConnection, table: str) -> None:
    row = AUDITED[table]
    lists = [row.id.split(), row.shown.split(), row.hidden.split(), row.ignored.split()]
    named = [name for names in lists for name in names]
    assert sorted(named) == sorted(columns(connection, table))


@pytest.mark.parametrize("table", AUDITED)
def test_no_secret_and_no_free_text_is_shown(table: str) -> None:
    shown = {*AUDITED[table].id.split(), *AUDITED[table].shown.split()}
    free = {name for name in shown if any(word in name for word in SECRETS)}
    assert {(table, name) for name in free} <= NAMES_OF_SOFTIX


def test_every_reference_finds_its_row(connection: SqliteConnection) -> None:
    for statement in REFERENCES.values():
        assert connection.execute(statement, (1,)).fetchall() == []
    used = {column for row in AUDITED.values() for column in (*row.id.split(), *row.shown.split())}
    assert REFERENCES.keys() <= used
    assert all(column in AUDITED[table].shown for table, column in NOT_REFERENCES)
