from collections.abc import Iterator
from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.storage.sqlite.core.engine import MOST_CACHED_BYTES, SqliteConnection
from softix_proxy.storage.sqlite.write_path import statements


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = make_database(tmp_path).connect()
    yield connection
    connection.close()


STATEMENTS = {
    name: statements.of(text, 2) if isinstance(text, statements.BulkStatement) else text
    for name, text in vars(statements).items()
    if isinstance(text, statements.BulkStatement)
    or (isinstance(text, str) and text.lstrip().startswith(("SELECT", "INSERT", "DELETE")))
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_on_the_current_schema_compiles(books: SqliteConnection, name: str) -> None:
    statement = STATEMENTS[name]
    books.execute(f"EXPLAIN {statement}", ("[]",) * statement.count("?"))


@pytest.mark.parametrize("name", ["STATES", "ALREADY_SETTLED", "LAST_POSTED", "HOLDS", "CLOSE_INTENTS", "SAVE_WALLETS"])
def test_hot_path_statement_scans_no_table(books: SqliteConnection, name: str) -> None:
    statement = STATEMENTS[name]
    plan = books.execute(f"EXPLAIN QUERY PLAN {statement}", ("[]",) * statement.count("?")).fetchall()
    steps = [row[3] for row in plan]
    given = ("json_each", "asked VIRTUAL", "CONSTANT", "SCAN new")
    assert steps and not any(step.startswith("SCAN") and not any(name in step for name in given) for step in steps)


@pytest.mark.parametrize(
    "name", [name for name, text in vars(statements).items() if isinstance(text, statements.BulkStatement)]
)
def test_longest_statement_fits_the_statement_cache(books: SqliteConnection, name: str) -> None:
    longest = statements.of(vars(statements)[name], statements.MOST_ROWS)
    values = (1,) * longest.count("?")
    before = books.cache_stats()["too_big"]
    books.execute(f"EXPLAIN {longest}", values)
    assert books.cache_stats()["too_big"] == before and len(longest) < MOST_CACHED_BYTES


def test_insert_statement_has_a_value_for_each_column(books: SqliteConnection) -> None:
    columns = len(books.execute("PRAGMA table_info(usage)").fetchall()) - 1  # a request corrects nothing
    assert STATEMENTS["ADD_USAGE"].count("?") == 2 * columns
    assert STATEMENTS["ADD_INTENTS"].count("?") == 2 * len(books.execute("PRAGMA table_info(intents)").fetchall())
