"""The project's own files, parsed once, for the tests that read code."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("softix_proxy", "tests", "scripts", "bench", "examples")


@dataclass(frozen=True)
class Source:
    """A Python file; `place` is its path from the root, with slashes."""

    place: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.place)

    @property
    def inside(self) -> str:
        """Its path within the package: `domain/core/money.py`."""
        return self.place.removeprefix("softix_proxy/")

    @property
    def floor(self) -> str:
        """The package on which it lies, at any depth: `domain`; of a file that lies on top, its own name."""
        return self.inside.partition("/")[0].removesuffix(".py")

    @property
    def stem(self) -> str:
        return self.place.rpartition("/")[2].removesuffix(".py")

    @property
    def key(self) -> str:
        """Floor and name, whatever folders lie between them: `domain: money`. What lies on top has its name alone."""
        return f"{self.floor}: {self.stem}" if "/" in self.inside else self.stem


@functools.cache
def sources(*rooms: str) -> tuple[Source, ...]:
    files = sorted(path for room in rooms or ROOMS for path in (ROOT / room).rglob("*.py"))
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in files)


def package() -> tuple[Source, ...]:
    """The product's own modules."""
    return sources("softix_proxy")


WITHIN = {"memberships": "organisations"}
"""A noun → the one whose files it is in: a membership is of an organisation."""


@functools.cache
def nouns() -> frozenset[str]:
    """What the product keeps: the properties of the port that gives a transaction its stores."""
    units = [
        node
        for source in package()
        if source.floor == "domain"
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Unit"
    ]
    return frozenset(
        WITHIN.get(item.name, item.name)
        for unit in units
        for item in unit.body
        if isinstance(item, ast.FunctionDef) and isinstance(item.returns, ast.Name) and "Store" in item.returns.id
    )


def tracked() -> list[str]:
    """What git keeps; nothing where the code was unpacked without it."""
    if not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


def texts() -> Iterator[tuple[str, str]]:
    """Place and text of every file that people write: code, documents, configuration."""
    kinds = {".py", ".md", ".toml", ".sql", ".yml", ".yaml", ".sh", ".service", ".conf", ".js", ".mjs", ".ts", ".json"}
    top = [path for path in ROOT.iterdir() if path.is_file() and (path.suffix in kinds or path.name == "Makefile")]
    folders = [*ROOMS, "docs", ".ci"]
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted({*top, *(path for path in inside if path.suffix in kinds or path.parent.name == ".ci")}):
        if "node_modules" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
