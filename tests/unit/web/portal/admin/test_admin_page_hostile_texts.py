"""Every stored text is hostile, on every page: markup, letters that turn text round, and words without an end."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from support.operators_pages import ADMIN, CASES
from support.operators_side import OperatorsSide

HOSTILE = "<script>alert(1)</script>\"'>&{{7*7}}\u202egnp.exe\u2066" + "w" * 60
NEUTRAL = ("bdi", "code", "title", "input", "a")
COLUMNS = {
    "users": ("name", "email"),
    "user_profiles": ("display_name",),
    "keys": ("label", "prefix"),
    "providers": ("name", "base_url", "region"),
    "models": ("name", "upstream_name"),
    "routes": ("name",),
    "usage": ("model_served", "endpoint", "error", "note", "service_tier"),
    "transfers": ("note", "reference"),
    "intents": ("endpoint",),
    "login_accounts": ("display_name", "email"),
    "security_events": ("address", "device", "subject"),
    "outbox": ("email", "error"),
    "periods": ("label",),
    "attempts": ("error",),
}
"""Table → its columns of free text, as people, clients and providers fill them."""


class Tags(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def spoil(side: OperatorsSide) -> None:
    """Writes the hostile text into every column, past all checks."""
    connection = side.database.connect()
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for table, columns in COLUMNS.items():
        known = {row[0] for row in connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()}
        assert set(columns) <= known, (table, known)
        for column in columns:
            connection.execute(f"UPDATE {table} SET {column} = ? || hex(randomblob(4))", (HOSTILE,))
    [(document,)] = connection.execute("SELECT document FROM bills").fetchall()
    told = json.loads(document)
    told["buyer"]["name"] = told["period"] = HOSTILE
    connection.execute("UPDATE bills SET document = ?", (json.dumps(told),))
    connection.close()


@pytest.mark.parametrize("path", [path for method, _, path in CASES if method == "GET"])
async def test_page_with_hostile_texts_shows_them_as_text(side: OperatorsSide, path: str) -> None:
    await side.account(ADMIN)
    async with side.storage.writing() as unit:
        await unit.users.set_display_name(1, "Ada")
    spoil(side)
    seen = await side.ask(ADMIN, "GET", path)
    assert seen.status == 200
    if not seen.text:
        return  # a document as a file: its own tests escape it
    tags = Tags()
    tags.feed(seen.text)
    assert "script" not in tags.names and "<script" not in seen.text
    assert not {name for name in tags.attributes if name.startswith("on") or name == "style"}
    assert "49" not in seen.text.split("{{7*7}}")[0][-3:]


async def test_hostile_search_comes_back_as_text(side: OperatorsSide) -> None:
    for path in ("/admin/users", "/admin/keys", "/admin/models", "/admin/prices", "/admin/accounts"):
        seen = await side.ask(ADMIN, "GET", path, q=HOSTILE)
        assert seen.status == 200 and "<script" not in seen.text and "&lt;script&gt;" in seen.text
    seen = await side.ask(ADMIN, "GET", "/admin/usage", user=HOSTILE)
    assert seen.status == 400 and "<script" not in seen.text
