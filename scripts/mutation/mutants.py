"""Makes mutants: copies of a module that differ from it in one place.

The operators are mutmut's, and four of our own. Annotations, decorators, imports, protocols, type aliases and texts for
people are left as they are: a change there is seen by mypy, at import, or by a reader, and not in an amount.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

_DECLARING = frozenset({"TypeVar", "field"})
"""Calls that say what something is."""
_BUILTIN_TYPES = frozenset({"dict", "frozenset", "list", "set", "tuple", "type"})
_ONE_ARGUMENT_OR_NONE = frozenset({"isinstance", "len"})
"""Without their argument they only raise; what stands in it is changed as anything else."""
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}

Operator = Callable[[Any], Iterable[cst.CSTNode]]


@dataclass(frozen=True, slots=True)
class Mutant:
    module: str
    """The name in the table of modules."""
    function: str
    """The qualified name of what holds the change; empty on the level of the module."""
    line: int
    was: str
    """The lines that are changed, without their indentation."""
    now: str
    nth: int
    """1, or which of those that read the same in one function."""
    source: str
    executes: range | None
    """The lines of which a test must execute one to notice; None: they run at import, and for every test."""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What a survivor is listed by: it does not change with the number of a line, or the place of the file."""
        return self.module, self.function, self.was, self.now, self.nth

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function or '(module)'}: {self.was}  →  {self.now or '(nothing)'}"


def mutants_of(module: str, source: str) -> list[Mutant]:
    """In the order of the source; none reads the same as another."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    spans, text = wrapper.resolve(PositionProvider), _Text(source)
    places, seen, met = _Places(source), {source}, dict[tuple[str, str, str], int]()
    found = []
    for old, new in _changes(wrapper.module):
        if old not in spans:
            continue
        changed = text.with_(spans[old], wrapper.module.code_for_node(new))
        if changed in seen:
            continue
        seen.add(changed)
        line, was, now = text.difference(spans[old], changed)
        function, executes = places.at(line)
        nth = met[function, was, now] = met.get((function, was, now), 0) + 1
        found.append(Mutant(module, function, line, was, now, nth, changed, executes))
    return sorted(found, key=lambda mutant: mutant.line)


class _Text:
    """A source in which one place is changed, and all else stays as it is, letter by letter."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0, *accumulate(map(len, self._lines))]

    def with_(self, span: CodeRange, new: str) -> str:
        start = self._starts[span.start.line - 1] + span.start.column
        end = self._starts[span.end.line - 1] + span.end.column
        old = self._source[start:end]
        space = old[: len(old) - len(old.lstrip())]
        return self._source[:start] + space + new.strip() + self._source[end:]

    def difference(self, span: CodeRange, changed: str) -> tuple[int, str, str]:
        """Where they begin to differ, and the lines that do, of both."""
        first, last = span.start.line - 1, span.end.line
        before = [line.strip() for line in self._lines[first:last]]
        after = [line.strip() for line in changed.splitlines()[first:]]
        del after[len(after) - (len(self._lines) - last) :]
        while before and after and before[-1] == after[-1]:
            del before[-1], after[-1]
        while before and after and before[0] == after[0]:
            first += 1
            del before[0], after[0]
        return first + 1, " ".join(before), " ".join(after)


class _Places:
    """Line → the function that holds it, and the lines of its statement."""

    def __init__(self, source: str) -> None:
        self._at: dict[int, tuple[str, range | None]] = {}
        self._visit(ast.parse(source).body, "", inside=False)

    def at(self, line: int) -> tuple[str, range | None]:
        return self._at.get(line, ("", None))

    def _visit(self, body: Iterable[ast.AST], name: str, *, inside: bool) -> None:
        for node in body:
            if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                self._note(node, name, inside=inside)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                own = f"{name}.{node.name}".lstrip(".")
                self._visit(node.body, own, inside=inside or not isinstance(node, ast.ClassDef))
            else:
                self._visit(ast.iter_child_nodes(node), name, inside=inside)

    def _note(self, node: ast.AST, name: str, *, inside: bool) -> None:
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{name}.{node.name}".lstrip(".")
        block = getattr(node, "body", None)
        if isinstance(block, list) and block:
            last = max(first, block[0].lineno - 1)
        for line in range(first, last + 1):
            self._at[line] = name, range(first, last + 1) if inside else None


def _changes(tree: cst.Module) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    for node in _mutable(tree):
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                for new in operator(node):
                    yield node, new
        if isinstance(node, (cst.If, cst.While, cst.IfExp, cst.CompIf)):
            negated = _negated(node.test)
            if negated is not None:
                yield node.test, negated


def _mutable(node: cst.CSTNode, *, of_error: bool = False) -> Iterator[cst.CSTNode]:
    """All below it, in their order. What an error says is left as it is, but not the code and the figures in it."""
    for child in node.children:
        if _left_alone(child) or (of_error and isinstance(child, cst.BaseString)):
            continue
        is_error = isinstance(child, cst.Call) and _called(child).endswith("Error")
        if not (is_error or (isinstance(child, cst.Call) and _called(child) in _ONE_ARGUMENT_OR_NONE)):
            yield child
        yield from _mutable(child, of_error=of_error or is_error)


def _left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.If(test=cst.Name("TYPE_CHECKING")):
            return True
        case cst.ClassDef():
            return any(isinstance(base.value, cst.Name) and base.value.value == "Protocol" for base in node.bases)
        case cst.Assign(value=cst.Call(func=cst.Name(name))) | cst.AnnAssign(value=cst.Call(func=cst.Name(name))):
            return name in _DECLARING
        case cst.Assign(value=cst.Subscript(value=cst.Name(name))):  # an alias of a type
            return name[:1].isupper() or name in _BUILTIN_TYPES
        case cst.Assign(targets=[cst.AssignTarget(cst.Name(name))], value=cst.BinaryOperation(operator=cst.BitOr())):
            return name[:1].isupper() and not name.isupper()
        case cst.Param(default=cst.BaseExpression() as default):
            return not isinstance(default, (cst.Name, cst.BaseNumber, cst.BaseString))
        case cst.Call():
            return _called(node) in _DECLARING
        case cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name("log")))):
            return True
    return False


def _called(call: cst.Call) -> str:
    match call.func:
        case cst.Name(name) | cst.Attribute(attr=cst.Name(name)):
            return str(name)
    return ""


def _one_string(node: cst.BaseString) -> Iterable[cst.CSTNode]:
    """The first that mutmut makes; the others change nothing but the case."""
    return islice(mutators.operator_string(node), 1)


def _negated(condition: cst.BaseExpression) -> cst.CSTNode | None:
    """`if x` → `if not x`. What is compared, combined or negated already has an operator of its own."""
    if isinstance(condition, (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation)):
        return None
    inner = condition.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), inner, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _swapped(node: cst.Call) -> Iterable[cst.CSTNode]:
    """`min(…)` → `max(…)`."""
    if isinstance(node.func, cst.Name) and node.func.value in _SWAPPED:
        yield node.with_changes(func=cst.Name(_SWAPPED[node.func.value]))


def _dropped(node: cst.Expr) -> Iterable[cst.CSTNode]:
    """A call for its effect → nothing."""
    if isinstance(node.value, (cst.Call, cst.Await)):
        yield cst.Pass()


def _returning_nothing(node: cst.Return) -> Iterable[cst.CSTNode]:
    if node.value is not None and not (isinstance(node.value, cst.Name) and node.value.value == "None"):
        yield node.with_changes(value=cst.Name("None"))


_OPERATORS: Sequence[tuple[Any, Operator]] = (
    *((kind, _one_string if made is mutators.operator_string else made) for kind, made in mutators.mutation_operators),
    (cst.Call, _swapped),
    (cst.Expr, _dropped),
    (cst.Return, _returning_nothing),
)
