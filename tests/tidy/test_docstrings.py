"""Docstrings are whole: what does something says what, begins like a sentence, and ends like one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from support.sources import Source, package

LONGEST_FIRST_LINE = 120
LONGEST_WITHOUT = 20
"""Lines of a function that may go without; its name says what it does."""
LONGEST_CLASS_WITHOUT = 12
"""Lines of a class that has methods; records and protocols of one verb may go without."""
SPELLED_SMALL = ("beancount", "hledger", "ledger", "softix", "uvloop")
"""Names of programs, with which a sentence may begin."""
EXAMPLE = re.compile(r"\s*Example: .*$", re.DOTALL)
"""What the help of a command ends with; it is a line for a shell, and no sentence."""


class Said(NamedTuple):
    name: str
    line: int
    text: str | None
    needed: bool = True


def documented(source: Source) -> Iterator[Said]:
    """The module, and each public class and function in it, with what it says of itself."""
    yield Said("the module", 1, ast.get_docstring(source.tree))
    rest: list[tuple[str, ast.stmt]] = [("", node) for node in source.tree.body]
    while rest:
        owner, node = rest.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            name = f"{owner}{node.name}"
            yield Said(name, node.lineno, ast.get_docstring(node), not owner and is_long(node))
            if isinstance(node, ast.ClassDef):
                rest += [(f"{name}.", inner) for inner in node.body]


def is_long(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    lines = (node.end_lineno or 0) - node.lineno + 1
    if not isinstance(node, ast.ClassDef):
        return lines > LONGEST_WITHOUT
    methods = [inner for inner in node.body if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return lines > LONGEST_CLASS_WITHOUT and any(not method.name.startswith("_") for method in methods)


def faults(said: Said) -> Iterator[str]:
    if said.text is None:
        if said.needed:
            yield "says nothing of itself"
        return
    first = EXAMPLE.sub("", said.text.split("\n\n")[0])
    if first[:1].islower() and not first.startswith(SPELLED_SMALL):
        yield "begins with a small letter"
    if not first.endswith((".", ":", "?", "!", ".)")):
        yield "does not end with a stop"
    if len(said.text.split("\n")[0]) > LONGEST_FIRST_LINE:
        yield f"has a first line of more than {LONGEST_FIRST_LINE} letters"
    if re.search(r"\b(TOD[O]|FIXM[E])\b", said.text):
        yield "is unfinished"


def test_docstrings_are_whole_sentences() -> None:
    found = [
        f"{source.place}:{said.line}: {said.name} {fault}"
        for source in package()
        for said in documented(source)
        for fault in faults(said)
    ]
    assert not found, "\n".join([*found, "instead: a sentence that begins with a verb, or with the thing"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Keeps users.", None),
        ("softix users: the people who pay.", None),
        ("Create a user. Example: softix users create ada --email ada@example.org", None),
        ("Says what is there:\n\n- this", None),
        ("keeps users.", "begins with a small letter"),
        ("Keeps users", "does not end with a stop"),
        ("Keeps users. It is TOD" + "O.", "is unfinished"),
        ("K" * 120 + ".", "has a first line of more than 120 letters"),
        (None, "says nothing of itself"),
    ],
)
def test_rule_of_docstrings_with_a_faulty_text_reports_its_fault(text: str | None, fault: str | None) -> None:
    assert list(faults(Said("it", 1, text))) == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("def f():\n" + " x = 1\n" * LONGEST_WITHOUT, True),
        ("def f():\n x = 1", False),
        ("class A:\n def f(self):\n" + "  x = 1\n" * LONGEST_CLASS_WITHOUT, True),
        ("class A:\n" + " x: int\n" * 50, False),
        ("class A:\n def _f(self):\n" + "  x = 1\n" * 50, False),
    ],
)
def test_long_function_or_class_needs_a_docstring(code: str, needed: bool) -> None:
    module, *rest = documented(Source("softix_proxy/attic.py", code))
    assert module.needed and rest[0].needed is needed
