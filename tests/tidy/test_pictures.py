"""The pictures of the documents: each is shown by a document, says what it shows, and is small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.sources import ROOT

FOLDER = ROOT / "docs" / "pictures"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
MOST_BYTES, MOST_BYTES_OF_ALL = 60 * 1024, 300 * 1024
LEAST_WORDS = 4


def shown() -> list[tuple[str, str, Path]]:
    """Document, text for who does not see the picture, and picture."""
    return [
        (page.relative_to(ROOT).as_posix(), alt, (page.parent / target).resolve())
        for page in PAGES
        for alt, target in SHOWN.findall(page.read_text("utf-8"))
        if "://" not in target
    ]


def drawn() -> list[Path]:
    return sorted(path for path in FOLDER.iterdir() if path.suffix != ".txt")


def test_picture_in_a_document_exists() -> None:
    missing = [f"{page} shows {picture.name}" for page, _, picture in shown() if not picture.is_file()]
    assert not missing, "\n".join([*missing, "instead: make pictures"])


def test_picture_in_a_document_has_a_text_for_who_does_not_see_it() -> None:
    bare = [f"{page}: {picture.name}" for page, alt, picture in shown() if len(alt.split()) < LEAST_WORDS]
    assert not bare, "\n".join([*bare, "instead: ![A sentence that says what is to be seen](…)"])


@pytest.mark.parametrize("picture", drawn(), ids=lambda path: path.name)
def test_picture_is_shown_by_a_document_and_small(picture: Path) -> None:
    assert picture in {found for _, _, found in shown()}, f"no document shows {picture.name}: show it, or remove it"
    assert picture.stat().st_size <= MOST_BYTES


def test_pictures_are_small_together() -> None:
    assert sum(picture.stat().st_size for picture in drawn()) <= MOST_BYTES_OF_ALL


def test_picture_of_a_page_has_its_text_beside_it() -> None:
    pages = {path.stem for path in drawn() if path.suffix == ".png"}
    assert pages == {path.stem for path in FOLDER.glob("*.txt")}, "instead: make pictures"
