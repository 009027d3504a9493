"""Reads the three tables: what is mutated, which survivors are known, and which faults have a name."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

Key = tuple[str, str, str, str, int]


class TableError(Exception):
    """A table says what is not so."""


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    path: Path
    tests: tuple[str, ...]
    """Files, from the root of the project, that are to notice its mutants."""

    @property
    def dotted(self) -> str:
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Fault:
    """One that has a name, wherever the code stands."""

    name: str
    path: Path
    source: str
    """With the fault in it."""
    tests: tuple[str, ...]
    """The files with the tests of that name."""
    test: str

    @property
    def dotted(self) -> str:
        return dotted(self.path)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def modules() -> list[Module]:
    """Raises TableError for a file that is not there."""
    found = []
    for row in tomllib.loads((HERE / "modules.toml").read_text())["module"]:
        missing = [place for place in (row["path"], *row["tests"]) if not (ROOT / place).is_file()]
        if missing:
            raise TableError(f"modules.toml names for {row['name']} what is not there: {', '.join(missing)}")
        found.append(Module(row["name"], ROOT / row["path"], tuple(row["tests"])))
    return found


def survivors() -> dict[Key, str]:
    """What no test can notice → why. Raises TableError for a row without a reason, or given twice."""
    found: dict[Key, str] = {}
    for row in tomllib.loads((HERE / "survivors.toml").read_text()).get("survivor", []):
        key = row["module"], row["function"], row["was"], row["now"], row.get("nth", 1)
        if key in found or not row["reason"].strip():
            raise TableError(f"survivors.toml has a row twice, or without a reason: {key}")
        found[key] = row["reason"]
    return found


def faults() -> list[Fault]:
    """Raises TableError where the code that a fault changes, or the test that notices it, is not there any more."""
    sources = {path: path.read_text() for path in sorted((ROOT / "softix_proxy").rglob("*.py"))}
    tests = {path: path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    return [_fault(row, sources, tests) for row in tomllib.loads((HERE / "faults.toml").read_text())["fault"]]


def _fault(row: dict[str, str], sources: dict[Path, str], tests: dict[Path, str]) -> Fault:
    pattern = re.compile(row["pattern"], re.MULTILINE)
    places = [(path, found) for path, text in sources.items() for found in pattern.finditer(text)]
    if len(places) != 1:
        raise TableError(f"faults.toml: the pattern of {row['name']!r} is found {len(places)} times, and not once")
    [(path, found)] = places
    named = re.compile(rf"def {row['test']}\(")
    files = tuple(str(place.relative_to(ROOT)) for place, text in tests.items() if named.search(text))
    if not files:
        raise TableError(f"faults.toml: there is no test {row['test']}, which notices {row['name']!r}")
    text = sources[path]
    source = text[: found.start()] + found.expand(row["replacement"]) + text[found.end() :]
    return Fault(row["name"], path, source, files, row["test"])
