from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.storage.sqlite.billing import bill_sql as sql
from softix_proxy.storage.sqlite.core import migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection, connect


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    made = connect(tmp_path / "softix.db", make=True)
    migrations.migrate(made)
    yield made
    made.close()


def plan(connection: SqliteConnection, statement: str, *values: object) -> str:
    return " · ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))


def test_bill_statements_of_a_portion_read_a_range_of_rows(connection: SqliteConnection) -> None:
    for statement, *months in ((sql.usage_sums([5]),), (sql.CORRECTION_SUMS, "[0]"), (sql.CHARGED_ROWS,)):
        assert "SEARCH u USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan(
            connection, statement, 1, 2, None, *months
        )


def test_corrections_statement_uses_the_covering_index(connection: SqliteConnection) -> None:
    assert "USING COVERING INDEX usage_corrections" in plan(connection, sql.CORRECTED, 1, 2)


def test_payments_statement_uses_the_index_without_charges(connection: SqliteConnection) -> None:
    assert "transfers_other_than_charges (kind=? AND id>? AND id<?)" in plan(connection, sql.PAYMENTS, 1, 2, None)


def test_usage_sums_statement_with_a_step_that_is_text_is_refused() -> None:
    assert " > 5)" in sql.usage_sums([5]) and "SELECT 0 AS passed" in sql.usage_sums([])
    with pytest.raises(ValueError, match="format"):
        sql.usage_sums(["5); DROP TABLE usage"])  # type: ignore[list-item]
