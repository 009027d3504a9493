"""Reads the steps of a request from the code: which modules `serve` calls, in which order, and what each says it does.

The reader follows types, not names of files: it looks up annotations and constructors in the parsed package.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
_ENTERED = {ast.AsyncWith: "__aexit__", ast.With: "__exit__"}


@dataclass
class Module:
    """One parsed module: what it defines, and where the names that it imports come from."""

    name: str
    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0]


@dataclass(frozen=True)
class Type:
    """A class of the package, by the module that defines it."""

    module: Module
    node: ast.ClassDef

    @property
    def members(self) -> dict[str, Function]:
        return {item.name: item for item in self.node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}


@dataclass(frozen=True)
class Call:
    """One call: what is called, and in which module."""

    module: Module
    name: str
    owner: Type | None = None
    awaited: bool = False

    @property
    def function(self) -> Function | None:
        """The definition of what is called."""
        name = self.name.rpartition(".")[2]
        return (self.module.functions if self.owner is None else self.owner.members).get(name)

    @property
    def ends_a_block(self) -> bool:
        return self.name.rpartition(".")[2] in _ENTERED.values()

    @property
    def summary(self) -> str:
        """What it is for: a port says so by its class, everything else by its module."""
        if self.owner is not None and any(ast.unparse(base) == "Protocol" for base in self.owner.node.bases):
            return (ast.get_docstring(self.owner.node) or self.module.summary).partition("\n")[0]
        return self.module.summary


class Package:
    """All modules of a package, parsed once."""

    def __init__(self, root: Path) -> None:
        self.modules = {}
        for path in sorted(root.rglob("*.py")):
            parts = [root.name, *path.relative_to(root).with_suffix("").parts]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = self._parsed(name, path)

    def _parsed(self, name: str, path: Path) -> Module:
        module = Module(name, ast.parse(path.read_text("utf-8")))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    module.imported[alias.asname or alias.name] = (node.module, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        module.imported[alias.asname] = (alias.name, None)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                module.classes[node.name] = node
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                module.functions[node.name] = node
        return module

    def find(self, module: Module, name: str) -> Type | Call | Module | None:
        """What a name means in a module, as far as it belongs to the package."""
        if name in module.classes:
            return Type(module, module.classes[name])
        if name in module.functions:
            return Call(module, name)
        source, attribute = module.imported.get(name, ("", None))
        whole = self.modules.get(f"{source}.{attribute}" if attribute else source)
        if whole is not None:
            return whole
        origin = self.modules.get(source)
        return self.find(origin, attribute) if origin is not None and attribute else None

    def types(self, module: Module, annotation: ast.expr | None) -> list[Type | None]:
        """The classes that an annotation names: several for a tuple, one for everything else."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        if isinstance(annotation, ast.Subscript):
            inside = annotation.slice
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            if isinstance(annotation.value, ast.Name) and annotation.value.id == "tuple":
                return [self._one(module, part) for part in parts]
        return [self._one(module, annotation)]

    def _one(self, module: Module, annotation: ast.expr | None) -> Type | None:
        if isinstance(annotation, ast.BinOp):
            return self._one(module, annotation.left) or self._one(module, annotation.right)
        if isinstance(annotation, ast.Name):
            found = self.find(module, annotation.id)
            return found if isinstance(found, Type) else None
        return None

    def attribute(self, owner: Type, name: str) -> Type | None:
        """The class of a field or of a property."""
        for item in owner.node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id == name:
                return self.types(owner.module, item.annotation)[0]
        method = owner.members.get(name)
        return self.types(owner.module, method.returns)[0] if method is not None else None

    def entry(self, method: str) -> tuple[Type, Function]:
        """The class whose coroutine `method` is the life of a request: the one that calls the most other modules."""
        found = [
            (type_, function)
            for module in self.modules.values()
            for type_ in (Type(module, node) for node in module.classes.values())
            if isinstance(function := type_.members.get(method), ast.AsyncFunctionDef)
        ]
        if not found:
            raise SystemExit(f"no class has a coroutine {method!r}: name the one that answers a request")
        return max(found, key=lambda each: len({call.module.name for call in Reader(self, each[0]).read(each[1])}))


class Reader:
    """Walks a function in the order in which it runs, and yields each call that leaves its module.

    Functions and methods of the same module are followed. Handlers of errors and what is raised are left out: they
    are not the way of a request that succeeds.
    """

    def __init__(self, package: Package, owner: Type) -> None:
        self._package, self._module = package, owner.module
        self._seen: set[int] = set()
        self._owner = owner

    def read(self, function: Function, owner: Type | None = None) -> Iterator[Call]:
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        scope: dict[str, Type | None] = {}
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        for argument in arguments:
            scope[argument.arg] = self._package.types(self._module, argument.annotation)[0]
        scope["self"] = owner or self._owner
        yield from self._body(function.body, scope)

    def _body(self, statements: list[ast.stmt], scope: dict[str, Type | None]) -> Iterator[Call]:
        for statement in statements:
            if isinstance(statement, ast.Raise | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if isinstance(statement, ast.Try):
                for part in (statement.body, statement.orelse, statement.finalbody):
                    yield from self._body(part, scope)
                continue
            for expression in (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr)):
                yield from self._expression(expression, scope)
            self._assign(statement, scope)
            if isinstance(statement, ast.With | ast.AsyncWith):
                yield from self._with(statement, scope)
                continue
            for part in (getattr(statement, "body", []), getattr(statement, "orelse", [])):
                if not (part and isinstance(statement, ast.If) and isinstance(part[-1], ast.Raise)):
                    yield from self._body(part, scope)

    def _with(self, statement: ast.With | ast.AsyncWith, scope: dict[str, Type | None]) -> Iterator[Call]:
        for item in statement.items:
            yield from self._expression(item.context_expr, scope)
        yield from self._body(statement.body, scope)
        for item in statement.items:
            entered = self._types(item.context_expr, scope)[0]
            if entered is not None and entered.module is not self._module:
                yield Call(entered.module, f"{entered.node.name}.{_ENTERED[type(statement)]}", entered, awaited=True)

    def _assign(self, statement: ast.stmt, scope: dict[str, Type | None]) -> None:
        if not isinstance(statement, ast.Assign):
            return
        for target in statement.targets:
            if isinstance(target, ast.Name):
                scope[target.id] = self._types(statement.value, scope)[0]
            elif isinstance(target, ast.Tuple):
                value = statement.value
                found = (
                    [self._types(part, scope)[0] for part in value.elts]
                    if isinstance(value, ast.Tuple)
                    else self._types(value, scope)
                )
                for part, type_ in zip(target.elts, found, strict=False):
                    if isinstance(part, ast.Name):
                        scope[part.id] = type_

    def _expression(self, expression: ast.expr, scope: dict[str, Type | None]) -> Iterator[Call]:
        awaited = isinstance(expression, ast.Await)
        called = expression.value if isinstance(expression, ast.Await) else expression
        for child in ast.iter_child_nodes(called):
            if isinstance(child, ast.expr):
                yield from self._expression(child, scope)
            elif isinstance(child, ast.keyword):
                yield from self._expression(child.value, scope)
        if isinstance(called, ast.Call):
            yield from self._call(called, scope, awaited=awaited)

    def _call(self, call: ast.Call, scope: dict[str, Type | None], *, awaited: bool) -> Iterator[Call]:
        target = self._target(call.func, scope)
        if not isinstance(target, Call):
            return
        if target.module is not self._module:
            yield replace(target, awaited=awaited)
        elif target.function is not None:
            yield from self.read(target.function, target.owner)

    def _target(self, called: ast.expr, scope: dict[str, Type | None]) -> Call | Type | None:
        """What is called: a function, a method, or a class."""
        found: Type | Call | Module | None = None
        if isinstance(called, ast.Name):
            found = self._package.find(self._module, called.id)
        elif isinstance(called, ast.Attribute):
            if isinstance(called.value, ast.Name) and called.value.id not in scope:
                found = self._package.find(self._module, called.value.id)
            if isinstance(found, Module):
                found = self._package.find(found, called.attr)
            else:
                owner = self._types(called.value, scope)[0]
                known = owner is not None and called.attr in owner.members
                found = Call(owner.module, f"{owner.node.name}.{called.attr}", owner) if owner and known else None
        return None if isinstance(found, Module) else found

    def _types(self, expression: ast.expr, scope: dict[str, Type | None]) -> list[Type | None]:
        """The classes of a value; several for a tuple that a function returns."""
        if isinstance(expression, ast.Await):
            return self._types(expression.value, scope)
        if isinstance(expression, ast.Name):
            return [scope.get(expression.id)]
        if isinstance(expression, ast.Attribute):
            owner = self._types(expression.value, scope)[0]
            return [self._package.attribute(owner, expression.attr) if owner is not None else None]
        if isinstance(expression, ast.Call):
            target = self._target(expression.func, scope)
            if isinstance(target, Type):
                return [target]
            if target is not None and target.function is not None:
                return self._package.types(target.module, target.function.returns)
        return [None]


@dataclass
class Step:
    """What one module does for a request, and the steps below it that it calls."""

    module: Module
    summary: str
    calls: list[str]
    below: list[Step] = field(default_factory=list)


def steps(package: Package, method: str, rules: str) -> tuple[Type, list[Step]]:
    """The class that serves a request, and its steps in the order of their first call.

    A module is one step, however often it is called. What `with` enters is a step at the end of the block. A call into
    the package `rules` is a step only if it is awaited, as those to a port are: everything else that it calculates is a
    detail. A step in the same package as `method` is read too if it is awaited.
    """
    owner, function = package.entry(method)
    seen: set[str] = {owner.module.name}
    return owner, list(_steps(package, Reader(package, owner).read(function), seen, rules, _room(owner.module)))


def _room(module: Module) -> str:
    return ".".join(module.name.split(".")[:2])


def _steps(package: Package, calls: Iterator[Call], seen: set[str], rules: str, room: str | None) -> Iterator[Step]:
    every = [call for call in calls if call.awaited or _room(call.module) != rules]
    at_end = {call.module.name for call in every if call.ends_a_block}
    found: dict[str, Step] = {}
    followed: list[tuple[Step, Call]] = []
    for call in every:
        place = call.module.name
        port = f"{place}.{call.name}"
        known = port if _room(call.module) == rules else place
        if known in seen or (place in at_end and not call.ends_a_block):
            continue
        step = found.setdefault(place, Step(call.module, call.summary, []))
        if call.name not in step.calls:
            step.calls.append(call.name)
        if call.awaited and call.owner is not None and _room(call.module) == room:
            followed.append((step, call))
    seen |= {f"{place}.{name}" for place, step in found.items() for name in step.calls} | set(found)
    for step, call in followed:
        if call.owner is not None and call.function is not None:
            inside = Reader(package, call.owner).read(call.function)
            step.below += _steps(package, inside, seen, rules, None)
    yield from found.values()
