from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.storage.sqlite.core.engine import SqliteConnection, connect
from softix_proxy.storage.sqlite.core.paging import is_before

PAGE = f"SELECT id FROM things WHERE {is_before('?1')} AND (?2 = '' OR name = ?2) ORDER BY id DESC LIMIT 2"


@pytest.fixture
def connection() -> Iterator[SqliteConnection]:
    made = connect(Path(":memory:"))
    made.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
    made.execute("INSERT INTO things VALUES (1, 'a'), (2, 'b'), (3, 'a')")
    yield made
    made.close()


@pytest.mark.parametrize(("before", "name", "found"), [(None, "", [3, 2]), (3, "", [2, 1]), (3, "a", [1]), (1, "", [])])
def test_page_has_the_newest_rows_before_the_given_one(
    connection: SqliteConnection, before: int | None, name: str, found: list[int]
) -> None:
    assert [row[0] for row in connection.execute(PAGE, (before, name))] == found


def test_page_reads_no_row_of_the_pages_before_it(connection: SqliteConnection) -> None:
    [row] = connection.execute(f"EXPLAIN QUERY PLAN {PAGE}", (1, "")).fetchall()
    assert row[3] == "SEARCH things USING INTEGER PRIMARY KEY (rowid<?)"
