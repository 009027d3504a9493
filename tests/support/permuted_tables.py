"""Makes the tables of a database with their columns in the opposite order."""

from __future__ import annotations

import re

from softix_proxy.storage.sqlite.core import migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection


def permute(source: SqliteConnection, target: SqliteConnection) -> None:
    """Makes the same tables with their columns in the opposite order, and fills them."""
    found = source.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'"
    )
    rows = found.fetchall()
    for kind, name, text in rows:
        if kind == "table":
            target.execute(_reversed(text))
            columns = ", ".join(row[1] for row in source.execute(f"PRAGMA table_info({name})"))
            for row in source.execute(f"SELECT {columns} FROM {name}").fetchall():
                target.execute(f"INSERT INTO {name} ({columns}) VALUES ({', '.join('?' * len(row))})", row)
    for kind, _, text in rows:
        if kind != "table":
            target.execute(text)
    target.execute(f"PRAGMA user_version = {migrations.latest()}")
    target.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")


def _reversed(text: str) -> str:
    head, _, rest = re.sub(r"--[^\n]*", "", text).partition("(")
    body, _, tail = rest.rpartition(")")
    columns, rules = [], []
    for part in _parts(body):
        (rules if re.match(r"(CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY)\b", part) else columns).append(part)
    return f"{head}({', '.join(columns[::-1] + rules)}){tail}"


def _parts(body: str) -> list[str]:
    """What stands between commas that are in no parentheses and no quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in body:
        quoted ^= letter == "'"
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
