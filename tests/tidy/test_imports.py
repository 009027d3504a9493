"""The floors of the house, as contracts in pyproject.toml, and that the contracts bite; and where imports stand."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from support.sources import ROOT, Source, nouns, package

LINT = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """The linter puts its working directory first, so it reads that folder's code."""
    command = [LINT, "--config", ROOT / "pyproject.toml", "--no-cache"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def test_import_contracts_of_the_project_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, f"{done.stdout}\ninstead: take what you need as an argument, wired in assembly/"
    assert ", 0 broken" in done.stdout


def place_of(key: str) -> str:
    """Where the module lies now: `domain: money`."""
    (place,) = [source.place for source in package() if source.key == key]
    return place


def steps() -> list[str]:
    """Modules that a contract forbids to import each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return next(contract["modules"] for contract in contracts if contract["type"] == "independence")


@pytest.mark.parametrize(
    ("key", "line", "named"),
    [
        ("domain: money", "import softix_proxy.relay", "softix_proxy.domain is not allowed to import"),
        ("web: app", "import softix_proxy.storage", "softix_proxy.web is not allowed to import"),
        ("exports: columns", "from softix_proxy import settings", "softix_proxy.exports is not allowed to import"),
        ("domain: money", "import click", "softix_proxy.domain is not allowed to import click"),
    ],
)
def test_import_against_a_contract_is_refused(tmp_path: Path, key: str, line: str, named: str) -> None:
    assert_refused(tmp_path, place_of(key), line, named)


def test_import_of_one_step_by_another_is_refused(tmp_path: Path) -> None:
    first, second, *_ = steps()
    assert_refused(tmp_path, f"{first.replace('.', '/')}.py", f"import {second}", f"{first} is not allowed to import")


def test_module_outside_the_floors_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, "softix_proxy/attic.py", "", "attic")


def assert_refused(folder: Path, place: str, line: str, named: str) -> None:
    shutil.copytree(ROOT / "softix_proxy", folder / "softix_proxy", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / place).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint(folder)
    assert done.returncode == 1
    assert named in " ".join(done.stdout.split())


LATE_FLOORS = {
    "cli": "a command imports what only it needs, so that `softix --help` and each other command start at once",
    "assembly": "a command wires only the rooms that it needs; all of them take 180 ms",
}
"""Floors whose functions may import anything."""
LATE_NOUNS = "58 ms and 1.2 MB for all: a unit imports the stores that are asked for, and a daemon asks for few"
LATE: Mapping[str, str] = {
    "aiohttp": "4 MB: its import reads all certificates of the system, which nobody uses, unless it is told not to",
    "botocore": "134 ms and 8 MB, an extra: only Bedrock signs with it",
    "email": "10 ms and 1.1 MB: few commands are given an address of e-mail",
    "facturx": "437 ms and 35 MB, an extra: only bills in XML have it",
    "fpdf": "644 ms and 39 MB, an extra: only bills as PDF have it",
    "google": "143 ms and 13 MB, an extra: only Vertex has tokens from it",
    "joserfc": "40 ms and 1.9 MB, an extra: only sign-in at an OpenID provider checks its signatures",
    "importlib.resources": "4 ms: only a path that is not served asks which SDKs call it",
    "maxminddb": "0.4 MB, an extra: only who gives a file of countries asks for one",
    "nacl": "15 ms and 0.8 MB: a daemon has no password to check",
    "platformdirs": "7 ms and 0.3 MB: not needed where the folder is named",
    "pyarrow": "48 ms and 29 MB, an extra: only one format of export has it",
    "ruamel.yaml": "36 ms and 1.5 MB: few clients are configured in YAML",
    "stripe": "11.5 MB, an extra: only payments use it",
    "tomlkit": "26 ms and 0.7 MB: few clients are configured in TOML",
    "ua_parser": "300 ms and 7 MB: only a browser is read with it, and it is imported in a thread",
    "zxcvbn_rs_py": "1.2 MB: passwords are chosen seldom, and in the portal only",
    "zoneinfo": "6 ms and 0.3 MB: a daemon reads no calendar but that of UTC",
    "dialects: registry": "73 ms and 4.9 MB: few commands are given a provider's URL, and each knows of providers",
    "domain: bill": "32 ms and 0.4 MB: settings are read by each command, and few make documents",
    "exports: qr_code": "25 ms and 0.5 MB: only who sets up an authenticator app is shown a code",
    "operations: cap_alerts": "48 ms and 1.5 MB: few daemons have a cap of which somebody is to be told",
    "operations: budget_alerts": "66 ms and 0.9 MB: few daemons have a budget of which somebody is to be told",
    "operations: event_conditions": "9 ms and 0.2 MB: most daemons have no endpoint that is told of anything",
    "operations: keys": "23 ms and 0.5 MB: with what a user is shown goes much that a daemon is seldom asked for",
    "operations: usage": "25 ms and 0.5 MB: as for keys",
    "relay: interpret": "37 ms and 1.2 MB: a daemon whose clients speak their provider's dialect translates nothing",
    "relay: session": "4 ms and 0.2 MB: most daemons have no realtime session",
    "storage: directory": "40 ms: it knows everything that a request needs, and no command but `serve` has requests",
    "telemetry: exposition": "21 ms and 1.1 MB: few daemons are scraped",
    "upstream: tokens": "5 ms: most providers want a key and no token",
    "relay: service": "21 ms and 0.4 MB: few daemons have stored objects",
    "vault: one_time_codes": "5 ms: a daemon without a portal checks no codes",
    "vault: passkeys": "120 ms and 6.4 MB, an extra: only who uses a passkey needs it, and it is imported in a thread",
    "vault: signatures": "12 ms and 0.9 MB: a daemon signs nothing",
}
"""What may be imported in a function, on any other floor → what that saves. `floor: module` is ours, at any depth.

Times are CPU of an import beside what is loaded anyway; less than 3 ms and 0.3 MB is not worth it.
"""


class Late(NamedTuple):
    line: int
    function: str
    what: str


def late_imports(source: Source, modules: frozenset[str]) -> Iterator[Late]:
    """Imports within functions; `modules` are the dotted names of ours."""
    rest: list[tuple[ast.AST, str]] = [(node, "") for node in source.tree.body]
    while rest:
        node, function = rest.pop()
        if function and isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            for name in {name if name in modules else node.module or "" for name in names}:
                yield Late(node.lineno, function, imported(name))
        elif function and isinstance(node, ast.Import):
            yield from (Late(node.lineno, function, imported(alias.name)) for alias in node.names)
        inner = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        rest += [(child, inner) for child in ast.iter_child_nodes(node)]


def imported(name: str) -> str:
    """The key in LATE: `softix_proxy.relay.realtime.session` → `relay: session`."""
    parts = name.split(".")
    if parts[0] == "softix_proxy":
        return f"{parts[1]}: {parts[-1]}" if len(parts) > 2 else parts[-1]
    return next((known for known in LATE if name == known or name.startswith(f"{known}.")), name)


def _modules() -> frozenset[str]:
    return frozenset(source.place.removesuffix(".py").replace("/", ".") for source in package())


def _of_other_floors() -> list[tuple[Source, Late]]:
    modules = _modules()
    return [
        (source, late)
        for source in package()
        if source.floor not in LATE_FLOORS
        for late in late_imports(source, modules)
        if not late.what.startswith("storage: ") or late.what.removeprefix("storage: ") not in nouns()
    ]


def test_late_imports_are_only_those_listed_with_a_reason() -> None:
    found = [
        f"{source.place}:{late.line}: {late.function} imports {late.what}"
        for source, late in _of_other_floors()
        if late.what not in LATE
    ]
    assert not found, "\n".join([*found, "instead: at the top; or a line in LATE with what was measured"])


def test_listed_late_import_is_still_used() -> None:
    used = {late.what for _, late in _of_other_floors()}
    assert set(LATE) <= used, f"take these out of LATE: {sorted(set(LATE) - used)}"


@pytest.mark.parametrize("what", LATE)
def test_listed_late_import_states_what_it_saves(what: str) -> None:
    saved = {unit: float(number) for number, unit in re.findall(r"([\d.]+) (ms|MB)", LATE[what])}
    assert saved.get("ms", 0) >= 3 or saved.get("MB", 0) >= 0.3 or "a cycle with" in LATE[what]


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("def f():\n import json", ["json"]),
        ("def f():\n from botocore.auth import SigV4Auth", ["botocore"]),
        ("def f():\n from softix_proxy.relay.realtime.session import Session", ["relay: session"]),
        ("def f():\n from softix_proxy.relay.realtime import session", ["relay: session"]),
        ("class A:\n async def f(self):\n  if x:\n   import json", ["json"]),
        ("def f():\n def g():\n  import json", ["json"]),
        ("import json", []),
        ("if TYPE_CHECKING:\n import json", []),
        ("class A:\n import json", []),
    ],
)
def test_rule_of_late_imports_finds_exactly_the_forbidden_ones(code: str, seen: list[str]) -> None:
    modules = frozenset(["softix_proxy.relay.realtime.session"])
    assert [late.what for late in late_imports(Source("softix_proxy/attic.py", code), modules)] == seen
