"""The pictures of docs/ARCHITECTURE.md are those that the script draws of today's code, whatever its names are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.sources import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import make_architecture
from request_steps import Package, Step, steps

PAGES = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "decisions").glob("*.md")]
SHOP = {
    "__init__.py": '"""A shop."""',
    "rules.py": '"""What holds."""\n\ndef price(goods: str) -> int:\n    return 1\n',
    "ports.py": (
        '"""Doors."""\nfrom typing import Protocol\n\nclass Till(Protocol):\n    """Takes the money."""\n\n'
        "    async def pay(self, amount: int) -> str: ...\n"
    ),
    "counter/__init__.py": '"""Where customers stand."""',
    "counter/greet.py": '"""Say hello."""\n\ndef greet(name: str) -> None: ...\n',
    "counter/basket.py": (
        '"""Keep what is bought until the end."""\n\nclass Basket:\n'
        "    async def __aexit__(self, *_: object) -> None: ...\n"
        "    def add(self, goods: str) -> None: ...\n"
    ),
    "counter/packing.py": (
        '"""Pack it."""\nfrom shop.shelf import fetch\n\n'
        "class Packer:\n    async def pack(self) -> None:\n        fetch()\n"
    ),
    "shelf.py": '"""Where goods are."""\n\ndef fetch() -> None: ...\n\ndef apologise() -> Exception: ...\n',
    "counter/sale.py": """\
from shop import shelf
from shop.counter.basket import Basket
from shop.counter.greet import greet
from shop.counter.packing import Packer
from shop.ports import Till
from shop.rules import price


class Sale:
    till: Till

    async def serve(self, name: str, packer: Packer) -> None:
        basket = Basket()
        async with basket:
            basket.add(name)
            if not name:
                shelf.apologise()
                raise ValueError
            await self._sell(packer)

    async def _sell(self, packer: Packer) -> None:
        greet("you")
        await self.till.pay(price("tea"))
        await packer.pack()
""",
}


def written(folder: Path, texts: dict[str, str]) -> Package:
    for place, text in texts.items():
        path = folder / "shop" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Package(folder / "shop")


def outline(found: list[Step]) -> list[tuple[str, list[str], list[str]]]:
    return [(step.module.name, step.calls, [below.module.name for below in step.below]) for step in found]


def test_architecture_pictures_are_current() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_architecture.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ninstead of editing: make architecture"


def test_edited_picture_is_drawn_again() -> None:
    text = make_architecture.PAGE.read_text("utf-8")
    assert make_architecture.page(text) == text
    assert make_architecture.page(text.replace("┌", "x").replace("| `", "| ")) == text


def test_page_without_a_place_for_a_picture_is_refused() -> None:
    with pytest.raises(SystemExit, match="no place for floors"):
        make_architecture.page("# Architecture\n")


def test_steps_follow_the_calls_of_a_request_that_succeeds(tmp_path: Path) -> None:
    owner, found = steps(written(tmp_path, SHOP), "serve", "shop.rules")
    assert owner.node.name == "Sale"
    assert outline(found) == [
        ("shop.counter.greet", ["greet"], []),
        ("shop.ports", ["Till.pay"], []),
        ("shop.counter.packing", ["Packer.pack"], ["shop.shelf"]),
        ("shop.counter.basket", ["Basket.__aexit__"], []),
    ]
    assert [step.summary for step in found] == [
        "Say hello.",
        "Takes the money.",
        "Pack it.",
        "Keep what is bought until the end.",
    ]


def test_steps_of_renamed_and_moved_modules_are_found(tmp_path: Path) -> None:
    texts = {place.replace("counter/", "front/desk/"): text for place, text in SHOP.items()}
    moved = {
        place: text.replace("shop.counter", "shop.front.desk").replace("Basket", "Bag") for place, text in texts.items()
    }
    owner, found = steps(written(tmp_path, moved), "serve", "shop.rules")
    assert owner.module.name == "shop.front.desk.sale"
    assert [name for name, _, _ in outline(found)] == [
        "shop.front.desk.greet",
        "shop.ports",
        "shop.front.desk.packing",
        "shop.front.desk.basket",
    ]
    assert found[-1].calls == ["Bag.__aexit__"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_file_named_by_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)(?:`|:)", page.read_text("utf-8")))
    named = {name.replace("/things.py", "/__init__.py") for name in named if "test_things" not in name}
    lost = [name for name in named if not (ROOT / name).is_file() and not (ROOT / "softix_proxy" / name).is_file()]
    assert sorted(lost) == [], "`things.py` stands for any noun: its folder exists"


def test_folders_shared_by_several_packages_are_in_one_table() -> None:
    found = {
        "top": make_architecture.Room("top", "It is above.", 3, {"access": 2, "odd": 1}, ["bottom"]),
        "bottom": make_architecture.Room("bottom", "It is below.", 4, {"sqlite/access": 3, "sqlite": 1}, []),
    }
    shared = make_architecture.shared_folders(found)
    [_, table] = make_architecture.folders_table(found, shared)
    assert shared == ["access"] and table.splitlines()[-1] == "| `access` | 2 | 3 |"


def test_floors_contain_every_package() -> None:
    rooms = [name for floor in make_architecture.floors() for name in floor]
    folders = {path.name for path in (ROOT / "softix_proxy").iterdir() if (path / "__init__.py").is_file()}
    assert folders <= set(rooms), "a package that no floor of pyproject.toml has"
