"""Rules that may stand in one place only: a second copy drifts, and where one drifted money went wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import ModuleType

import pytest
from support.sources import Source, sources

from softix_proxy.cli.console import console
from softix_proxy.domain.access import authorization, keys
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.request import admit

Finder = Callable[[ast.AST], bool]


def place_of(module: ModuleType) -> str:
    """Returns the module's place in the checkout, wherever the package is installed."""
    return f"{module.__name__.replace('.', '/')}.py"


def attribute(*names: str) -> Finder:
    return lambda node: isinstance(node, ast.Attribute) and node.attr in names


def in_a_loop(name: str) -> Finder:
    inner = attribute(name)
    return lambda node: isinstance(node, (ast.For, ast.While)) and any(map(inner, ast.walk(node)))


def where(found: Finder, of: tuple[Source, ...]) -> set[str]:
    return {source.place for source in of if any(found(node) for node in ast.walk(source.tree))}


@pytest.mark.parametrize(
    ("found", "module", "instead"),
    [
        (attribute("allows_model"), authorization, "ask domain.access.authorization.access"),
        (in_a_loop("refresh"), admit, "call relay.request.admit.admit, which tries again where the directory changed"),
        (attribute("echo", "secho"), console, "call cli.console.console.echo, where no stored text acts on a terminal"),
    ],
)
def test_rule_that_has_one_place_is_used_nowhere_else(found: Finder, module: ModuleType, instead: str) -> None:
    assert where(found, sources("softix_proxy")) == {place_of(module)}, f"instead: {instead}"


def test_web_package_does_not_open_a_unit_of_storage() -> None:
    """What is kept, held and charged is the relay's and the operations' to know."""
    web = tuple(source for source in sources("softix_proxy") if source.place.startswith("softix_proxy/web/"))
    assert web
    assert where(attribute("reading", "writing", "snapshot", "journal"), web) == set(), "instead: a call of the relay"


@pytest.mark.parametrize(
    ("found", "text", "sees"),
    [
        (attribute("allows_model"), "x = key.allows_model('a')", True),
        (attribute("allows_model"), "x = key.models", False),
        (in_a_loop("refresh"), "async def f():\n    while True:\n        await directory.refresh()", True),
        (in_a_loop("refresh"), "async def f():\n    await directory.refresh()", False),
    ],
)
def test_finder_of_a_rule_reports_exactly_what_it_looks_for(found: Finder, text: str, sees: bool) -> None:
    assert where(found, (Source("x.py", text),)) == ({"x.py"} if sees else set())
    assert hasattr(keys.Key, "allows_model") and hasattr(LiveDirectory, "refresh")
