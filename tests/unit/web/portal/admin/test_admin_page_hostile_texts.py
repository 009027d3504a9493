"""Every stored text is hostile, on every page: markup, letters that turn text round, and words without an end."""

from __future__ import annotations

import json
from collections.abc import Iterator

from support.one_of_each_person import write_audit
from support.operators_pages import ADMIN, CASES
from support.operators_side import OperatorsSide
from support.page_reader import read_page

HOSTILE = "<script>alert(1)</script>\"'>&{{7*7}}\u202egnp.exe\u2066" + "w" * 60
FILE = "/admin/documents/INV-00001.html"
"""This one is no page: it is handed out as a file."""
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


def spoil(side: OperatorsSide) -> Iterator[str]:
    """Writes hostile text into every column, past all checks, and yields the marks by which it is found again."""
    connection = side.database.connect()
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for table, columns in COLUMNS.items():
        known = {row[0] for row in connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()}
        assert set(columns) <= known, (table, known)
        for column in columns:
            mark = f"{table}.{column}"
            connection.execute(f"UPDATE {table} SET {column} = ? || hex(randomblob(4))", (f"{mark} {HOSTILE}",))
            yield mark
    [(document,)] = connection.execute("SELECT document FROM bills").fetchall()
    told = json.loads(document)
    told["buyer"]["name"], told["period"] = f"buyer.name {HOSTILE}", f"bill.period {HOSTILE}"
    connection.execute("UPDATE bills SET document = ?", (json.dumps(told),))
    connection.close()
    yield from ("buyer.name", "bill.period")


async def test_hostile_text_in_every_stored_field_is_shown_as_text_on_every_page(side: OperatorsSide) -> None:
    await side.account(ADMIN)
    async with side.storage.writing() as unit:
        await unit.users.set_display_name(1, "Ada")
        await write_audit(unit)
    marks = list(spoil(side))
    texts: list[str] = []
    for path in [path for method, _, path in CASES if method == "GET" and path != FILE]:
        seen = await side.ask(ADMIN, "GET", path)
        assert seen.status == 200 and seen.text, path
        page = read_page(seen.text)
        assert page.strange == [] and "<script" not in seen.text, path
        texts += page.texts
    assert [mark for mark in marks if not any(f"{mark} {HOSTILE}" in text for text in texts)] == []


async def test_hostile_text_in_a_document_is_no_element_of_the_file(side: OperatorsSide) -> None:
    list(spoil(side))
    text = (await side.ask(ADMIN, "GET", FILE)).body.decode()
    assert "buyer.name &lt;script&gt;" in text and "<script" not in text


async def test_hostile_search_comes_back_as_text(side: OperatorsSide) -> None:
    for path in ("/admin/users", "/admin/keys", "/admin/models", "/admin/prices", "/admin/accounts"):
        seen = await side.ask(ADMIN, "GET", path, q=HOSTILE)
        assert seen.status == 200 and "<script" not in seen.text and "&lt;script&gt;" in seen.text
    seen = await side.ask(ADMIN, "GET", "/admin/usage", user=HOSTILE)
    assert seen.status == 400 and "<script" not in seen.text
