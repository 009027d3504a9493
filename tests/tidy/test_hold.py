"""What a hold has seen is told to it by events: nobody else writes its fields."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

import pytest
from support.sources import Source, sources

CHANGES = frozenset(("append", "extend", "insert", "remove", "pop", "clear", "setattr", "__setattr__"))


@functools.cache
def fields_of(name: str) -> tuple[str, frozenset[str]]:
    """Where the class is defined, and the names of its fields."""
    [(place, found)] = [
        (source.place, node)
        for source in sources("softix_proxy")
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    annotated = (each.target for each in found.body if isinstance(each, ast.AnnAssign))
    return place, frozenset(target.id for target in annotated if isinstance(target, ast.Name))


def hold_fields() -> frozenset[str]:
    return fields_of("Hold")[1]


def is_a_hold_s(node: ast.AST) -> bool:
    """A field of the name that one of a hold has, of anything but the object whose method this is."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Attribute) and node.attr in hold_fields() and not own


def writes(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            if is_a_hold_s(node if isinstance(node, ast.Attribute) else node.value):
                yield node
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            named = any(isinstance(each, ast.Constant) and each.value in hold_fields() for each in node.args)
            inside = isinstance(called, ast.Attribute) and is_a_hold_s(called.value)
            if name in CHANGES and (named or inside):
                yield node


def test_hold_has_fields_that_are_looked_for() -> None:
    assert {"error", "target", "spec", "meter", "settlement", "failed_attempts", "_state"} <= hold_fields()


def test_hold_s_fields_are_written_only_by_the_hold() -> None:
    """In the relay, which alone has holds, no other object has a field of such a name that others write."""
    found = [
        f"{source.place}:{node.lineno}: {ast.unparse(node)}"  # type: ignore[attr-defined] # expressions have lines
        for source in sources("softix_proxy/relay")
        for node in writes(source.tree)
    ]
    assert not found, "\n".join(
        [*found, f"instead: an event of the hold ({fields_of('Hold')[0]}), listed in its table of transitions"]
    )


@pytest.mark.parametrize(
    "code",
    [
        "hold.error = 'x'",
        "self.hold.target = target",
        "hold.spec, spare = spec, hold",
        "known = hold\nknown.meter = None",
        "hold.started_ns += 1",
        "del hold.settlement",
        "hold.failed_attempts.append(attempt)",
        "hold.failed_attempts[0] = attempt",
        "setattr(hold, 'error', None)",
        "object.__setattr__(hold, '_state', state)",
    ],
)
def test_rule_of_holds_reports_a_field_that_is_written_from_outside(code: str) -> None:
    assert list(writes(Source("bad.py", code).tree))


@pytest.mark.parametrize(
    "code", ["self.error = 'x'", "x = hold.error", "hold.client_left()", "self._holds.append(hold)", "hold.retried(x)"]
)
def test_rule_of_holds_accepts_events_and_reading(code: str) -> None:
    assert not list(writes(Source("good.py", code).tree))
