"""Text that acts on a terminal, put into the database past every check: no command lets it act."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, _NamedTextIOWrapper
from support.commands import leaves
from support.one_notice import write_notices
from support.one_of_each import NOW_US, write_directory, write_papers, write_requests
from support.one_of_each_person import SEEN, TOKEN, write_audit, write_people

from softix_proxy import assembly
from softix_proxy.cli.main import main
from softix_proxy.domain.access.templates import LimitTemplate, TemplatePart
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.unit import SqliteStorage

ACTS = "\x1b[31m\x9b2J\x07\u202e\u2066\u2028\u200b\nforged  line\r"
"""Colours, clears, rings, turns text around, hides, and looks like another line."""
PLAIN = ("users", "keys", "providers", "models", "routes")
COLUMNS = (
    *((table, "label" if table == "keys" else "name") for table in PLAIN),
    ("users", "email"),
    ("keys", "prefix"),
    ("models", "upstream_name"),
    ("providers", "region"),
    ("provider_keys", "label"),
    ("transfers", "note"),
    ("transfers", "reference"),
    ("usage", "note"),
    ("usage", "error"),
    ("usage", "model_served"),
    ("attempts", "error"),
    ("periods", "label"),
    ("periods", "zone"),
    ("batches", "remote_id"),
    ("batches", "provider_key"),
    ("object_accounts", "provider_key"),
    ("objects", "remote_id"),
    ("object_shares", "remote_id"),
    ("widened_bounds", "member"),
    ("outbox", "email"),
    ("outbox", "public_id"),
    ("outbox", "error"),
    ("abuse_alerts", "subject"),
    ("abuse_alerts", "text"),
    ("webhook_endpoints", "url"),
    ("webhook_deliveries", "error"),
    ("login_accounts", "display_name"),
    ("projects", "name"),
    ("admin_tokens", "label"),
    ("admin_tokens", "prefix"),
    ("admin_tokens", "role"),
    ("payments", "failure"),
    ("technical_addresses", "address"),
    ("technical_agents", "family"),
    ("technical_agents", "version"),
    ("technical_agents", "device"),
    ("technical_agents", "tls"),
    ("technical_guesses", "network"),
    ("audit_origins", "address"),
    ("audit_origins", "family"),
)
LISTS = (("keys", "models"), ("keys", "earlier_models"), ("keys", "regions"), ("providers", "drop_fields"))
OBJECTS = (("bills", "document"), ("customers", "details"), ("manifests", "head"))
EXCEEDED = """
INSERT INTO widened_bounds (model_id, member, excess_pico, factor_permille, dearest_pico, times, missing_pico,
  uncharged_pico, first_at_us, last_at_us, last_request_id) VALUES (1, 'documents', 1, 1001, 2, 3, 4, 5, 6, 7, 8)
"""
"""A bound that was too low."""
READING = {
    "doctor": ["--offline"],
    "users list": [],
    "users show": ["usr_ada"],
    "addresses list": [],
    "addresses agents": [],
    "keys list": [],
    "keys show": ["key_one"],
    "balance history": ["usr_ada"],
    "balance show": ["usr_ada"],
    "providers list": [],
    "providers show": ["prv_lab"],
    "models list": ["--all"],
    "routes list": [],
    "routes show": ["rte_one"],
    "routes health": [],
    "batches list": ["--all"],
    "objects list": [],
    "objects list --shared": [],
    "bounds list": [],
    "prices list": [],
    "prices missing": [],
    "prices diff": [],
    "usage list": [],
    "usage attempts": [],
    "usage summary": ["--by", "model", "--from", "2000-01-01", "--to", "2100-01-01"],
    "top": ["--once"],
    "usage tail": [],
    "period list": [],
    "export list": [],
    "bill list": [],
    "bill show": ["INV-00001"],
    "ledger accounts": [],
    "mail list": [],
    "abuse list": [],
    "abuse show": ["abu_one"],
    "webhooks list": [],
    "webhooks show": ["whk_one"],
    "ledger verify": [],
    "accounts list": [],
    "accounts show": ["acc_ada"],
    "audit list": [],
    "audit show": ["1"],
    "audit export": [],
    "roles list": [],
    "roles show": ["admin"],
    "roles permissions": [],
    "templates list": [],
    "templates show": ["trial"],
    "keys limits": ["key_one"],
    "users limits": ["usr_ada"],
    "tokens list": [],
    "tokens show": ["tok_one"],
    "budgets list": ["usr_ada"],
    "factors list": ["acc_ada"],
    "organisations list": [],
    "organisations show": ["usr_ada"],
    "organisations members": ["usr_ada"],
    "payments list": [],
    "payments show": ["pay_one"],
    "projects list": ["usr_ada"],
    "projects show": ["usr_ada", "prj_one"],
}
"""The commands that read, with what names one thing by its id."""
CHANGING = (
    "users update usr_ada --postpaid",
    "keys update key_one --rpm 9",
    "users show nobody",
    "keys revoke key_one",
    "balance set usr_ada 1.00 --note x",
    "models show llama",
    "prices history llama",
    "routes explain --model fast --user usr_ada",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of everything, with such text in each column that has text of others."""
    place = tmp_path_factory.mktemp("acts") / "softix"
    asyncio.run(assembly.initialise(assembly.read_settings(None, place)))
    asyncio.run(_fill(place / "softix.db"))
    with closing(connect(place / "softix.db", make=True)) as connection:
        _poison(connection)
    return place


async def _fill(path: Path) -> None:
    database = Database(path, SystemClock())
    await database.open()
    try:
        storage = SqliteStorage(database)
        async with storage.writing() as unit:
            await write_directory(unit)
            await unit.templates.add(LimitTemplate(0, "trial", "key", (TemplatePart(ACTS, 1),), 1))
        with closing(database.connect()) as connection:
            write_requests(connection, NOW_US)
            connection.execute(EXCEEDED)
        async with storage.writing() as unit:
            await write_papers(unit)
            await write_notices(unit)
            await write_people(unit)
            await write_audit(unit)
            await unit.technical_data.note(SEEN)
            await unit.tokens.add(TOKEN)
            await unit.projects.add(Project(0, "prj_one", 1, "search", NOW_US))
    finally:
        await database.close()


def _poison(connection: Any) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for table, column in COLUMNS:
        connection.execute(f"UPDATE {table} SET {column} = coalesce({column}, hex(randomblob(8))) || ?", (ACTS,))
    for table, column in LISTS:
        connection.execute(f"UPDATE {table} SET {column} = ?", (json.dumps([f"a{ACTS}"]),))
    for table, column in OBJECTS:
        for number, text in connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (json.dumps(_acting(json.loads(text))), number)
            )


def _acting(value: Any) -> Any:
    """The same object with such text in its names of people and its notes."""
    if isinstance(value, dict):
        return {
            name: each + ACTS if isinstance(each, str) and name in ("name", "note", "city") else _acting(each)
            for name, each in value.items()
        }
    return [_acting(each) for each in value] if isinstance(value, list) else value


def said(folder: Path, *words: str) -> tuple[str, str]:
    result = CliRunner().invoke(main, ["--data-dir", str(folder), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exc_info)
    return result.stdout, result.stderr


def acting(text: str) -> set[str]:
    kept = text.replace("\n", "").replace("\t", "")
    return {letter for letter in kept if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def lines_with(text: str, words: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line.startswith(words))


def test_every_command_that_lists_or_shows_is_tried() -> None:
    words = ("list", "show", "history", "health", "tail", "attempts", "missing", "accounts")
    reading = {" ".join(leaf.path) for leaf in leaves() if leaf.path[-1] in words}
    of_one = {f"{noun} show" for noun in ("prices", "models", "usage", "period", "config")} | {"prices history"}
    assert reading <= READING.keys() | of_one


@pytest.mark.parametrize("form", ["pipe", "terminal", "json"])
@pytest.mark.parametrize("name", READING)
def test_command_that_reads_stored_text_lets_none_of_it_act(
    folder: Path, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == "terminal" and name != "doctor":  # the doctor's own colours would be found
        monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
        monkeypatch.setenv("TERM", "dumb")
    out, err = said(folder, *name.split(), *READING[name], *(["--json"] if form == "json" else []))
    assert out and (not err.startswith("softix: ") or name == "usage summary"), err
    assert acting(out) == acting(err) == set()
    assert list(lines_with(out + err, "forged")) == [], "and no line that the text brought with it"
    if form == "json" and out.strip():
        for line in out.splitlines():
            json.loads(line)


@pytest.mark.parametrize("line", CHANGING)
def test_command_that_changes_or_fails_lets_no_stored_text_act(folder: Path, line: str) -> None:
    out, err = said(folder, *line.split())
    assert acting(out) == acting(err) == set() and list(lines_with(out + err, "forged")) == []


def test_json_of_stored_text_means_exactly_what_is_stored(folder: Path) -> None:
    out, _ = said(folder, "users", "list", "--json")
    assert json.loads(out)[0]["name"] == f"ada{ACTS}"
