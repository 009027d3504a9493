"""Rules about code as data: what they find, what to write instead, and examples that show that they find it."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from support.sources import Source

Finder = Callable[[ast.Module], Iterator[tuple[ast.AST, str]]]


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression; an empty text where it is anything else."""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def uses(*patterns: str) -> Finder:
    """Names such as `time.time`, however they were imported."""
    wanted = re.compile("|".join(patterns))

    def find(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                yield from ((node, name) for a in node.names if wanted.fullmatch(name := f"{node.module}.{a.name}"))
            elif isinstance(node, ast.Attribute) and wanted.fullmatch(dotted(node)):
                yield node, dotted(node)

    return find


@dataclass(frozen=True)
class Rule:
    find: Finder
    instead: str
    bad: tuple[str, ...]
    """Code that the rule must see."""
    good: tuple[str, ...]
    """Code that it must let pass."""
    where: tuple[str, ...] = ("softix_proxy/*",)
    outside: tuple[str, ...] = ()
    allowed: Mapping[str, str] = field(default_factory=dict)
    """Floor and name of a module, as in `domain: clock` → why; so a module may be moved within its floor."""

    def holds_in(self, place: str) -> bool:
        return any(fnmatch.fnmatch(place, pattern) for pattern in self.where) and not any(
            fnmatch.fnmatch(place, pattern) for pattern in self.outside
        )

    def broken_by(self, source: Source) -> list[str]:
        return [f"{source.place}:{node.lineno}: {found}" for node, found in self.find(source.tree)]  # type: ignore[attr-defined]

    def breaches(self, sources: tuple[Source, ...]) -> list[str]:
        """What breaks it, apart from the modules that may."""
        bound = [source for source in sources if self.holds_in(source.place)]
        assert bound
        return [line for source in bound if source.key not in self.allowed for line in self.broken_by(source)]

    def idle_exceptions(self, sources: tuple[Source, ...]) -> list[str]:
        """Modules that may break it and do not."""
        by_key = {source.key: source for source in sources if self.holds_in(source.place)}
        return [key for key in self.allowed if key not in by_key or not self.broken_by(by_key[key])]

    def blind_to(self) -> list[str]:
        """Its bad examples that it does not see, and what it sees in its good ones."""
        unseen = [code for code in self.bad if not self.broken_by(Source("bad.py", code))]
        return unseen + [line for code in self.good for line in self.broken_by(Source(code, code))]
