"""Statements name their columns, and records are made by name: see `storage/sqlite/core/record_mapping.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from support.sources import Source, sources

UNNAMED = re.compile(
    r"\bSELECT\s+\*|[\w}]\.\*|\bINTO\s+[\w.{}]+\s+(VALUES|SELECT)\b|pragma_table_info|PRAGMA\s+table_info",
    re.IGNORECASE,
)
BY_PLACE = {"astuple", "_make"}
BY_SQLITE = "softix_proxy/storage/sqlite/core/change_recorder.py"
"""SQLite tells changes by the places of the columns, so their names are asked of the schema there."""
NAMED_OTHERWISE = {"BudgetState", "CapState", "KeyState", "ModelRateState", "WalletState", "RecordMapping"}
"""States are made from columns that are listed by their own fields (`journal_sql`); a mapping is made from names."""


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Statements, with `{}` where something is put in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def found(source: Source) -> list[str]:
    lines = [(line, match[0]) for line, text in texts(source.tree) if (match := UNNAMED.search(text))]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            starred = any(isinstance(argument, ast.Starred) for argument in node.args)
            if name in BY_PLACE or (starred and name[:1].isupper() and name not in NAMED_OTHERWISE):
                lines.append((node.lineno, f"{name}(*…)"))
    return [f"{source.place}:{line}: {what}" for line, what in lines if not what.endswith("Error(*…)")]


def test_storage_code_does_not_depend_on_an_order_of_columns_or_fields() -> None:
    stored = [source for source in sources("softix_proxy") if source.place.startswith("softix_proxy/storage/")]
    wrong = [line for source in stored for line in found(source) if source.place != BY_SQLITE]
    assert stored and not wrong, "\n".join([*wrong, "instead: a RecordMapping, or the names of the columns"])


@pytest.mark.parametrize(
    ("code", "is_wrong"),
    [
        ("x = 'SELECT * FROM users'", True),
        ("x = f'SELECT {a}, sums.* FROM t'", True),
        ("x = 'INSERT INTO t VALUES (?)'", True),
        ("x = f'INSERT INTO {t} SELECT a FROM b'", True),
        ("x = Batch(*row)", True),
        ("x = Posting._make(row)", True),
        ("x = 'SELECT count(*) FROM t'", False),
        ("x = 'INSERT INTO t (a) VALUES (?)'", False),
        ("x = BATCH.read(row)", False),
    ],
)
def test_rule_of_columns_reports_exactly_the_code_that_depends_on_an_order(code: str, is_wrong: bool) -> None:
    assert bool(found(Source("x.py", code))) is is_wrong
