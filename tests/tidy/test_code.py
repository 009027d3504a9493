"""What code must not do, and what to write instead. Floats near money: test_money.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from support.code_rules import Rule, dotted, uses
from support.sources import sources


def docstrings(tree: ast.Module) -> set[int]:
    """Ids of the texts that stand alone as statements."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def drivers(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        yield from ((node, name) for name in names if name.split(".")[0] in ("sqlite3", "apsw", "aiosqlite"))


SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR|INTO)\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|WITH\s+\w+(\(.*?\))?\s+AS\s*\("
    r"|CREATE\s+(TABLE|INDEX|TRIGGER|VIEW|TEMP)|DROP\s|ALTER\s+TABLE|PRAGMA\s|BEGIN(\s+IMMEDIATE)?$|COMMIT$|ROLLBACK$)",
    re.DOTALL,
)


def statements(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    documentation = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            if SQL.match(node.value):
                yield node, f"SQL: {node.value.strip()[:30]!r}"
        elif isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany", "executescript"):
            yield node, f".{node.attr}"


def bare_tasks(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("create_task", "ensure_future"):
            owner = dotted(node.value)
            if owner in ("asyncio", "") or owner.endswith("loop"):
                yield node, f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "asyncio":
            yield from ((node, a.name) for a in node.names if a.name in ("create_task", "ensure_future"))


def prints(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ("print", "pprint.pprint"):
            yield node, f"{dotted(node.func)}()"


RULES = {
    "no driver outside storage": Rule(
        drivers,
        "a port of the domain; one module of the storage knows which SQLite this is",
        bad=("import sqlite3", "from apsw import Connection", "import aiosqlite.core"),
        good=("import json", "from softix_proxy.storage import users"),
        outside=("softix_proxy/storage/*",),
    ),
    "no SQL outside storage": Rule(
        statements,
        "a verb of the noun's store: declared in the domain, written in the storage",
        bad=(
            "x = 'SELECT 1'",
            "x = f'UPDATE users SET {a}'",
            "connection.execute(x)",
            "x = '\\n  INSERT INTO t VALUES (1)'",
        ),
        good=("'''SELECT is a word'''", "x = 'Select a model'", "x = 'UPDATE'"),
        outside=("softix_proxy/storage/*",),
    ),
    "no bare task": Rule(
        bare_tasks,
        "async with asyncio.TaskGroup(): a task that nobody awaits dies unseen",
        bad=(
            "asyncio.create_task(f())",
            "asyncio.ensure_future(x)",
            "loop.create_task(f())",
            "from asyncio import create_task",
        ),
        good=("group.create_task(f())",),
        allowed={
            "assembly: mailing": "the job that sends messages lives as long as its block, and ends with it",
            "assembly: webhook_delivery": "the job that delivers events lives as long as its block, and ends with it",
            "assembly: background": "a job beside a server lives as long as the server, and ends with it",
            "operations: usage": "one read ahead, awaited or cancelled where it was made",
            "storage: database": "the opening of a connection, awaited even by who is cancelled",
            "web: acceptor": "a handshake, which its time-out ends, and which is kept and cancelled where it was made",
            "web: http_server": "waits for one event, and is cancelled where it was made",
        },
    ),
    "no clock but the clock": Rule(
        uses(
            r"time\.(time|monotonic|perf_counter|process_time)(_ns)?",
            r"time\.(localtime|gmtime|strftime)",
            r"(datetime\.)?(datetime|date)\.(now|utcnow|today)",
        ),
        "take a Clock of the domain: now_us() for instants, monotonic_ns() for durations",
        bad=("x = time.time()", "from time import monotonic_ns", "x = datetime.now(UTC)", "x = datetime.date.today()"),
        good=("x = clock.monotonic_ns()", "from datetime import datetime", "x = clock.now_us()", "time.sleep(1)"),
        allowed={
            "domain: clock": "the clock",
            "storage: writer": "durations of commits, in the writer's thread",
        },
    ),
    "no environment but the settings": Rule(
        uses(r"os\.(environ|environb|getenv|putenv)"),
        "a setting (settings.py); assembly/instance.py hands the environment in",
        bad=("x = os.environ['A']", "x = os.getenv('A')", "from os import environ"),
        good=("x = settings.server.port", "x = environ.get('A')"),
        allowed={
            "assembly: instance": "reads it once, for the settings and the master key",
            "cli: key_source": "--key-env names a variable that holds a provider's key",
            "cli: quickstart": "offers the providers whose keys are in the environment",
        },
    ),
    "no print": Rule(
        prints,
        "cli.console: show() for results, say() for prose; elsewhere a logger, with class and place only",
        bad=("print(1)",),
        good=("Console().print(table)", "say('x')"),
    ),
}
each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in RULES.items()])


@each_rule
def test_code_keeps_each_rule(rule: Rule) -> None:
    broken = rule.breaches(sources())
    assert not broken, "\n".join([*broken, f"instead: {rule.instead}"])


@each_rule
def test_exception_to_a_rule_is_still_needed(rule: Rule) -> None:
    idle = rule.idle_exceptions(sources())
    assert not idle, f"take these out of `allowed`: {', '.join(idle)}"


@each_rule
def test_rule_finds_its_bad_examples_and_accepts_its_good_ones(rule: Rule) -> None:
    assert rule.blind_to() == []
