"""The storage's folders import each other in one direction only: core ← write path ← capabilities ← unit."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest
from support.sources import Source, sources

ROOM = "softix_proxy/storage/"
FOLDERS: Mapping[str, str] = {
    "core": "engine_sqlite database place turns slots causes numbering migrations upgrade checkpointer"
    " record_mapping wide_sums",
    "write_path": "hot_path journal journal_sql writer orphans",
    "access": "users keys",
    "catalog": "models providers",
    "pricing": "prices",
    "routing": "routes directory",
    "metering": "usage usage_sql usage_lines attempts rollups batches",
    "ledger": "balance ledger ledger_postings ledger_sql ledger_sums periods redating corrections",
    "billing": "bill bill_sql",
    "reporting": "manifests",
    "instance": "instance health",
    "unit": "storage __init__",
}
"""Folder → its modules, as long as they lie side by side in one folder."""
FOLDER_OF = {module: folder for folder, modules in FOLDERS.items() for module in modules.split()}
BELOW: Mapping[str, tuple[str, ...]] = {"core": (), "write_path": ("core",)}
"""Folder → all that it may import, where that is not any capability."""


def folder(place: str) -> str:
    """Of a module under the storage, by where it lies, or else by where it belongs."""
    parts = place.removeprefix(ROOM).removeprefix("sqlite/").removesuffix(".py").split("/")
    return parts[0] if len(parts) > 1 else FOLDER_OF[parts[0]]


def modules() -> dict[str, Source]:
    return {source.place: source for source in sources("softix_proxy") if source.place.startswith(ROOM)}


def imported(source: Source) -> set[str]:
    """The modules that it names anywhere, in functions and for types too."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            base = (node.module or "").replace(".", "/")
            found |= {f"{base}.py", *(f"{base}/{alias.name}.py" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {f"{alias.name.replace('.', '/')}.py" for alias in node.names}
    return found - {source.place}


def graph() -> dict[str, set[str]]:
    """Folder → the folders that it imports from."""
    known = modules()
    arrows: dict[str, set[str]] = {folder(place): set() for place in known}
    for place, source in known.items():
        arrows[folder(place)] |= {folder(other) for other in imported(source) if other in known} - {folder(place)}
    return arrows


def test_no_folder_is_reached_from_itself() -> None:
    try:
        order = list(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        pytest.fail(f"{' → '.join(error.args[1])}: move what they share to the lower one")
    assert order[0] == "core" and order[-1] == "unit"


@pytest.mark.parametrize("name", BELOW)
def test_what_all_stand_on_imports_nothing_above_it(name: str) -> None:
    assert graph()[name] <= set(BELOW[name])


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    known = modules()
    arrows = {place: {other for other in imported(source) if other in known} for place, source in known.items()}
    list(TopologicalSorter(arrows).static_order())
