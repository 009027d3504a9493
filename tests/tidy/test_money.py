"""Money is counted in whole pico-USD: no float comes near it.

A module that handles money is known by its names and not by its file: an amount ends in `_pico`, a unit price is a
Decimal, a mark-up is a Fraction. So the rule holds wherever a module is moved, and in modules yet to be written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from support.sources import ROOT, Source, package

AMOUNT = re.compile(r"(?i)\w*(?<![a-z])pico(?![a-z])\w*")
EXACT = frozenset(("Decimal", "Fraction"))
OF_TIME = re.compile(r"(?i)\w*(_s|seconds)")
"""Names of values that may be floats, since they are seconds."""
UNIT_OF_TIME = re.compile(r"(?i)(\w*_)?(ns|us|ms|s|seconds)")
MODULES_OF_FLOATS = ("math", "statistics", "cmath")
FUNCTIONS_OF_FLOATS = ("float", "round", "fsum", "truediv")
DIVISION = "a true division"
INSTEAD = "count in an int of pico-USD, and divide once by money.divide_half_even(); make a Decimal from text"
TO_PROMETHEUS = "Prometheus knows floats only: they are shown, and nothing is counted on them"
ALLOWED: Mapping[tuple[str, str], str] = {
    ("Histogram.buckets", "float"): TO_PROMETHEUS,
    ("Lifecycle", "float"): "seconds of a pause, as asyncio.sleep takes them",
    ("_collect", DIVISION): TO_PROMETHEUS,
    ("_counter", "float"): TO_PROMETHEUS,
    ("_dollars", "float"): TO_PROMETHEUS,
    ("_dollars", DIVISION): TO_PROMETHEUS,
    ("_gauge", "float"): TO_PROMETHEUS,
    ("_plain", DIVISION): "divides a Decimal within 60 digits, for a text",
    ("milliseconds", "round"): "rounds a Decimal of seconds to an int",
    ("oddities", DIVISION): "divides Decimals, to suggest a price that a person may take",
}
"""Function (`Class.method`) or class, and what it has → why no amount can come out wrong."""

SQL_FLOATS = re.compile(r"(?i)\b(AVG|TOTAL|ROUND)\s*\(|\b(REAL|DOUBLE|FLOAT|NUMERIC)\b|(?<![\w.'])\d+\.\d+(?![\w.])")
SQL_COLUMN = re.compile(r"(?im)^\s*(?:ALTER\s+TABLE\s+\w+\s+ADD\s+(?:COLUMN\s+)?)?(\w+_pico)\s+([A-Z]+)\b")


class Use(NamedTuple):
    line: int
    scope: str
    what: str


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def names_in(node: ast.AST) -> Iterator[str]:
    """Names, members, parameters and keys: `row.charge_pico`, `f(hold_pico=1)`, `row["charge_pico"]`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, (ast.arg, ast.keyword)):
            yield inner.arg or ""
        elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield inner.name
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and re.fullmatch(r"\w+", inner.value):
            yield inner.value


def handles_money(node: ast.AST) -> bool:
    return any(AMOUNT.fullmatch(name) or name in EXACT for name in names_in(node))


def divides_money(left: ast.AST, right: ast.AST) -> bool:
    """Not where paths are joined, times are divided, or a Fraction, which stays exact."""
    if any(isinstance(side, ast.JoinedStr) or getattr(side, "value", None).__class__ is str for side in (left, right)):
        return False
    names = {*names_in(left), *names_in(right)}
    if any(AMOUNT.fullmatch(name) for name in names):
        return "Fraction" not in names
    return "Fraction" not in names_in(left) and not any(UNIT_OF_TIME.fullmatch(name) for name in names_in(left))


def seconds_in(node: ast.AST) -> Iterator[ast.AST]:
    """Values and annotations of what is in seconds by its name."""
    if isinstance(node, (ast.arg, ast.keyword)) and OF_TIME.fullmatch(node.arg or "-"):
        yield node
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(OF_TIME.fullmatch(dotted(target).rpartition(".")[2] or "-") for target in targets):
            yield node
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns and OF_TIME.fullmatch(node.name):
        yield node.returns


def floats_in(scope: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What makes or rounds a float, or says that there is one."""
    in_seconds = {
        id(inner)
        for node in ast.walk(scope)
        for value in seconds_in(node)
        if not any(AMOUNT.fullmatch(name) for name in names_in(value))
        for inner in ast.walk(value)
    }
    for node in ast.walk(scope):
        if id(node) in in_seconds:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node, str(node.value)
        elif isinstance(node, ast.Name) and node.id in FUNCTIONS_OF_FLOATS:
            yield node, node.id
        elif isinstance(node, ast.Attribute) and (
            dotted(node.value) in MODULES_OF_FLOATS or node.attr in ("fsum", "truediv")
        ):
            yield node, dotted(node)
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
            if divides_money(left, right):
                yield node, DIVISION


def scopes(node: ast.AST, owner: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Each function with its name, and each other statement with its class's; inner functions belong to the outer."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{owner}.{child.name}".lstrip("."), child
        elif isinstance(child, ast.ClassDef):
            yield from scopes(child, f"{owner}.{child.name}".lstrip("."))
        elif isinstance(child, ast.stmt):
            yield owner, child


def uses(source: Source) -> list[Use]:
    if not handles_money(source.tree):
        return []
    return [
        Use(node.lineno, scope, what)  # type: ignore[attr-defined] # these nodes are all expressions or statements
        for scope, part in scopes(source.tree)
        for node, what in floats_in(part)
    ]


def test_money_code_uses_no_float() -> None:
    found = [
        f"{source.place}:{use.line}: {use.what} in {use.scope or 'the module'}"
        for source in package()
        for use in uses(source)
        if (use.scope, use.what) not in ALLOWED
    ]
    assert not found, "\n".join([*found, f"instead: {INSTEAD}"])


def test_exception_for_a_float_is_still_needed() -> None:
    known = {(use.scope, use.what) for source in package() for use in uses(source)}
    assert set(ALLOWED) <= known, f"take these out of ALLOWED: {sorted(set(ALLOWED) - known)}"


def test_floors_that_handle_money_are_recognised() -> None:
    known = {source.floor for source in package() if handles_money(source.tree)}
    assert {"domain", "relay", "operations", "storage", "exports", "imports", "cli"} <= known


@pytest.mark.parametrize(
    "code",
    [
        "x = int(float(hold_pico))",
        "def f(hold_pico: int) -> int:\n share = 0.5\n return hold_pico",
        "def f(row):\n return row.charge_pico / 3",
        "def f(row):\n return row['charge_pico'] / 3",
        "charge_pico /= 2",
        "x = p / PICO_PER_USD",
        "x = round(a_pico * 2)",
        "x = math.floor(a_pico)",
        "import operator\nx = operator.truediv(a_pico, 2)",
        "cost_pico: float",
        "def f(hold_pico: int, share: float) -> int: ...",
        "def f(hold_pico: int) -> float: ...",
        "from decimal import Decimal\nx = Decimal(0.5)",
        "from fractions import Fraction\ndef f(n): return float(n)",
        "class Row:\n cost_pico: int\n def half(self): return self.total / 2",
        "f(hold_pico=1)\nx = 1.5",
        "wait_s = hold_pico * 0.5",
        "x = hold_pico / wait_s",
        "x = wait_us / hold_pico",
    ],
)
def test_rule_of_floats_reports_a_float_near_money(code: str) -> None:
    assert uses(Source("softix_proxy/attic.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "x = 0.5",
        "x = held_pico // 3",
        "from fractions import Fraction\nx = Fraction(1, 3) / 2 * charge_pico",
        "from decimal import Decimal\nx = Decimal('0.5')",
        "x = folder / 'pico'",
        "x = folder / f'{charge_pico}.csv'",
        "def f(hold_pico: int, timeout_s: float) -> None: ...",
        "def f(hold_pico: int) -> None:\n wait_s = 0.5\n g(timeout_s=1.5)",
        "def f(hold_pico: int, a_ns: int):\n return a_ns / 1000",
        "picosecond = 0.5",
        "'''half_pico is 0.5'''",
    ],
)
def test_rule_of_floats_accepts_exact_code(code: str) -> None:
    assert uses(Source("softix_proxy/attic.py", code)) == []


def statements() -> Iterator[tuple[str, str]]:
    """SQL that names an amount: from the schema, and from texts in code."""
    for path in sorted((ROOT / "softix_proxy").rglob("*.sql")):
        for text in path.read_text("utf-8").split(";"):
            yield path.relative_to(ROOT).as_posix(), re.sub(r"--[^\n]*", "", text)
    for source in package():
        if source.floor == "storage":
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{source.place}:{node.lineno}", node.value


def test_sql_of_an_amount_uses_no_float() -> None:
    amounts = [(place, text) for place, text in statements() if "_pico" in text]
    assert len(amounts) > 20
    found = [f"{place}: {match[0]}" for place, text in amounts if (match := SQL_FLOATS.search(text))]
    assert not found, "\n".join([*found, "instead: sums of integers; what is divided is divided in Python"])


def test_column_of_an_amount_is_an_integer() -> None:
    columns = [(place, *match.groups()) for place, text in statements() for match in SQL_COLUMN.finditer(text)]
    columns = [column for column in columns if column[2].upper() not in ("AS", "FROM", "AND", "OR", "IS", "THEN")]
    assert len(columns) > 10
    assert [column for column in columns if column[2].upper() != "INTEGER"] == []


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("SELECT AVG(charge_pico) FROM usage", True),
        ("SELECT charge_pico * 1.05 FROM usage", True),
        ("SELECT CAST(charge_pico AS REAL) FROM usage", True),
        ("SELECT round(cost_pico) FROM usage", True),
        ("SELECT sum(charge_pico) FROM usage WHERE label = '1.5'", False),
        ("SELECT charge_pico, total_tokens FROM usage", False),
    ],
)
def test_rule_of_sql_reports_exactly_the_statements_with_floats(statement: str, seen: bool) -> None:
    assert bool(SQL_FLOATS.search(statement)) is seen
