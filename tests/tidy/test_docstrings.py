"""Docstrings are whole: they say something, begin like a sentence, and end like one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from support.sources import Source, package

LONGEST_FIRST_LINE = 120
END = re.compile(r"[.:?!…)\"'`|]$")
"""What the first paragraph may end with: a sentence, or a colon before what it introduces."""


class Said(NamedTuple):
    name: str
    line: int
    text: str | None


def documented(source: Source) -> Iterator[Said]:
    """The module, and each public class and function in it, with what it says of itself."""
    yield Said("the module", 1, ast.get_docstring(source.tree))
    rest: list[tuple[str, ast.stmt]] = [("", node) for node in source.tree.body]
    while rest:
        owner, node = rest.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            name = f"{owner}{node.name}"
            yield Said(name, node.lineno, ast.get_docstring(node))
            if isinstance(node, ast.ClassDef):
                rest += [(f"{name}.", inner) for inner in node.body]


def faults(said: Said) -> Iterator[str]:
    if said.text is None:
        return
    first, *_ = said.text.split("\n")
    paragraph = said.text.split("\n\n")[0]
    if not re.match(r"[^a-z]", paragraph):
        yield "begins with a small letter"
    if not END.search(paragraph):
        yield "does not end with a stop"
    if len(first) > LONGEST_FIRST_LINE:
        yield f"its first line is longer than {LONGEST_FIRST_LINE}"
    if re.search(r"\b(TOD[O]|FIXM[E])\b", said.text):
        yield "is unfinished"
