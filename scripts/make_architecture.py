"""Draws the two pictures of docs/ARCHITECTURE.md from the code: the floors with their packages, and one request.

python scripts/make_architecture.py            write them into the page
python scripts/make_architecture.py --check    fail if they are not what the code says
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from request_steps import Package, Step, steps  # noqa: E402

PAGE = ROOT / "docs" / "ARCHITECTURE.md"
NAME = "softix_proxy"
SERVES = "serve"
"""The method that answers a request, in whichever class and module it is."""
WIDTH = 118


@dataclass(frozen=True)
class Room:
    """One package or module directly below the project's package."""

    name: str
    summary: str
    modules: int
    folders: Mapping[str, int]
    imports: Sequence[str]

    @property
    def label(self) -> str:
        return f"{self.name} {self.modules}"


def floors() -> list[list[str]]:
    """The layers of the import contract, from the top; rooms of one floor are in one list."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [each["layers"] for each in contracts if each["type"] == "layers" and each["containers"] == [NAME]]
    named = [re.split(r"\s*[|:]\s*", layer) for layer in layers]
    return [rooms for rooms in named if not rooms[0].startswith("__")]


def rooms(graph: grimp.ImportGraph, package: Package) -> dict[str, Room]:
    """Each room with its modules and with the rooms that it imports, as the import graph has them."""
    order = [name for floor in floors() for name in floor]
    arrows: dict[str, set[str]] = {name: set() for name in order}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            here, there = (name.split(".")[1:2] for name in (module, imported))
            if here and there and here != there and here[0] in arrows:
                arrows[here[0]].add(there[0])
    found = {}
    for name in order:
        whole = f"{NAME}.{name}"
        inside = [each.removeprefix(f"{whole}.") for each in files(graph, whole)]
        folders: dict[str, int] = {}
        for each in sorted(inside):
            if "." in each:
                folder = each.rpartition(".")[0].replace(".", "/")
                folders[folder] = folders.get(folder, 0) + 1
        imports = sorted(arrows[name], key=order.index)
        found[name] = Room(name, package.modules[whole].summary, len(inside) or 1, folders, imports)
    return found


def files(graph: grimp.ImportGraph, name: str) -> list[str]:
    """The modules below a package, without the packages themselves."""
    return [each for each in graph.find_descendants(name) if not graph.find_children(each)]


def box(labels: Sequence[str]) -> list[str]:
    """Boxes side by side, in three lines; in more rows where one has no room."""
    rows: list[list[str]] = [[]]
    for label in labels:
        if rows[-1] and sum(len(each) + 5 for each in (*rows[-1], label)) > WIDTH:
            rows.append([])
        rows[-1].append(label)
    drawn = []
    for row in rows:
        drawn += [
            " ".join(f"┌{'─' * (len(label) + 2)}┐" for label in row),
            " ".join(f"│ {label} │" for label in row),
            " ".join(f"└{'─' * (len(label) + 2)}┘" for label in row),
        ]
    return drawn


def floors_picture(found: Mapping[str, Room]) -> str:
    """One line of boxes a floor, and a table of the rooms."""
    lines: list[str] = []
    for floor in floors():
        if lines:
            lines += ["▼".center(WIDTH).rstrip()]
        lines += [line.center(WIDTH).rstrip() for line in box([found[name].label for name in floor])]
    left = min(len(line) - len(line.lstrip()) for line in lines)
    drawn = "\n".join(line[left:] for line in lines)
    table = ["| package | modules | what it does | imports |", "| --- | --- | --- | --- |"]
    shared = shared_folders(found)
    for room in found.values():
        own = [f"{name} {count}" for name, count in room.folders.items() if last(name) not in shared]
        count = f"{room.modules}, of these {', '.join(own)}" if own else f"{room.modules}"
        summary = room.summary.replace("|", "\\|")
        table.append(f"| `{room.name}` | {count} | {summary} | {', '.join(room.imports) or '-'} |")
    parts = [f"```text\n{drawn}\n```", "\n".join(table), *folders_table(found, shared)]
    return "\n\n".join(parts)


def last(folder: str) -> str:
    return folder.rpartition("/")[2]


def shared_folders(found: Mapping[str, Room]) -> list[str]:
    """The names of folders that more than one room has: what the product can do, on each floor."""
    names = [name for room in found.values() for name in {last(folder) for folder in room.folders}]
    return sorted({name for name in names if names.count(name) > 1})


def folders_table(found: Mapping[str, Room], shared: Sequence[str]) -> Iterator[str]:
    """A line for each folder that several rooms have, with the number of its modules in each of them."""
    having = [room for room in found.values() if any(last(folder) in shared for folder in room.folders)]
    if not having:
        return
    yield "The same folders are in several packages. Each number is that of the modules in the folder:"
    lines = [f"| folder | {' | '.join(room.name for room in having)} |", f"| --- {'| --- ' * len(having)}|"]
    for name in shared:
        counts = [sum(count for folder, count in room.folders.items() if last(folder) == name) for room in having]
        lines.append(f"| `{name}` | {' | '.join(str(count) if count else '' for count in counts)} |")
    yield "\n".join(lines)


def place(module: str) -> str:
    """`softix_proxy.relay.request.identify` → `relay/request/identify.py`."""
    return module.removeprefix(f"{NAME}.").replace(".", "/") + ".py"


def drawn_steps(found: Sequence[Step], margin: str) -> Iterator[str]:
    """A step in two or more lines: what is called and where it is, then what it is for."""
    for number, step in enumerate(found):
        last = number == len(found) - 1
        calls = ", ".join(call.removesuffix(".__aexit__").removesuffix(".__exit__") for call in step.calls)
        if any(call.endswith("exit__") for call in step.calls):
            calls += ", when its block ends"
        head, *more = textwrap.wrap(calls, 58)
        yield f"{margin}{'└' if last else '├'}─ {head:<{66 - len(margin)}} {place(step.module.name)}"
        below = f"{margin}{'   ' if last else '│  '}"
        for line in more:
            yield f"{below}{line}"
        for line in textwrap.wrap(step.summary, WIDTH - len(below) - 2):
            yield f"{below}  {line}"
        yield from drawn_steps(step.below, f"{below}  ")
        if not last:
            yield below.rstrip()


def request_picture(package: Package) -> str:
    """The steps of a request from top to bottom, each with the modules that it calls in turn."""
    owner, found = steps(package, SERVES, f"{NAME}.domain")
    lines = [f"{owner.node.name}.{SERVES}".ljust(67) + place(owner.module.name), "│"]
    lines += drawn_steps(found, "")
    return "```text\n" + "\n".join(lines).rstrip() + "\n```"


@functools.cache
def pictures() -> Mapping[str, str]:
    """Both pictures, of the code as it is when they are first asked for."""
    package = Package(ROOT / NAME)
    graph = grimp.build_graph(NAME, cache_dir=None)
    return {"floors": floors_picture(rooms(graph, package)), "request": request_picture(package)}


def page(text: str) -> str:
    """The page with both pictures in their places."""
    for name, picture in pictures().items():
        begin, end = f"<!-- {name}: made by scripts/make_architecture.py -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            sys.exit(f"{PAGE.relative_to(ROOT)} has no place for {name}: a line {begin} and a line {end}")
        text = f"{before}{begin}\n\n{picture}\n\n{end}{after}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    before = PAGE.read_text("utf-8")
    after = page(before)
    if after == before:
        print("the pictures are current")
        return 0
    if check:
        print("the pictures of docs/ARCHITECTURE.md are not what the code says: make architecture")
        return 1
    PAGE.write_text(after, "utf-8")
    print("written: docs/ARCHITECTURE.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
