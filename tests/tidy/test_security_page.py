"""docs/security.md: each promise names its tests, and each of them exists."""

from __future__ import annotations

import re

import pytest
from support.sources import ROOT, Source

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
ACTORS = (
    "A stranger",
    "A user with a key",
    "A user without money",
    "A provider",
    "The operator's admin",
    "A thief of the disk, or of a backup",
    "A neighbour on the host",
    "The proxy in front",
)


def promises() -> list[str]:
    """The rows of all tables that have a column for tests."""
    rows, in_table = [], False
    for line in PAGE.splitlines():
        if line.startswith("| ") and line.rstrip().endswith("| test |"):
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("| ---"):
            rows.append(line)
    return rows


def test_security_page_has_a_table_for_everyone() -> None:
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    missing = [actor for actor in ACTORS if not any(title.startswith(actor) for title in titles)]
    assert not missing
    assert len(promises()) > 40


@pytest.mark.parametrize("row", promises(), ids=lambda row: row.split("|")[1].strip()[:60])
def test_promise_on_the_security_page_names_tests_that_exist(row: str) -> None:
    named = NAMED.findall(row.split("|")[-2])
    assert named, "a promise without a test"
    for place, name in named:
        path = ROOT / place
        assert path.is_file(), f"there is no {place}"
        defined = {node.name for node in Source(place, path.read_text("utf-8")).tree.body if hasattr(node, "name")}
        assert name in defined, f"{place} has no {name}"
