from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[[str], Any]
USERS = 'name,email,postpaid,regions\nbob,bob@example.org,true,\neve,eve@example.org,,"eu,ch"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "users.csv"
    place.write_text(USERS, encoding="utf-8-sig")
    return place


def test_users_are_imported_with_a_report_by_line(file: Path, read: Read) -> None:
    report = read(f"users import {file}")
    assert (report["imported"], report["failed"]) == (2, 0)
    assert [(one["line"], one["name"]) for one in report["lines"]] == [(2, "bob"), (3, "eve")]
    users = {user["name"]: user for user in read("users list")}
    assert users["bob"]["postpaid"] is True and users["eve"]["regions"] == ["eu", "ch"]
    assert [one["id"] for one in report["lines"]] == [users["bob"]["id"], users["eve"]["id"]]
    assert read("audit list")[0]["action"] == "users.import"


def test_one_wrong_line_imports_nothing_and_all_wrong_lines_are_told(file: Path, run: Run, read: Read) -> None:
    file.write_text(USERS + "bob,other@example.org,,\nzoe,zoe,,\nmax,max@example.org,maybe,\nkim,kim@example.org\n")
    before = read("users list")
    result = run(f"users import {file} --json", code=1)
    assert read("users list") == before
    said = result.stdout
    for line, word in ((4, "bob"), (5, "zoe"), (6, "postpaid is neither"), (7, "it has 2 fields")):
        assert f'"line": {line}' in said and word in said
    shown = run(f"users import {file}", code=1)
    assert "4 of 6 lines are wrong. Nothing was imported." in shown.stderr
    assert len(shown.stdout.splitlines()) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no column 'name'"),
        ("name,email\n", "has no line below its header"),
        ("name,mail\nbob,bob@example.org\n", "an unknown column 'mail'"),
        ("name,email,name\n", "has a column twice"),
        ("email\nbob@example.org\n", "has no column 'name'"),
        ('name,email\n"bob,bob@example.org\n', "line 2"),
        ("name,email\n" + "bob,bob@example.org\n" * 2_001, "2,001 lines"),
    ],
)
def test_wrong_file_is_refused(file: Path, run: Run, text: str, told: str) -> None:
    file.write_text(text)
    assert told in run(f"users import {file}", code=2).stderr


def test_file_that_cannot_be_read_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "latin.csv").write_bytes(b"name,email\nj\xf6rg,j@example.org\n")
    assert "is not UTF-8" in run(f"users import {tmp_path}/latin.csv", code=2).stderr
    assert "cannot read" in run(f"users import {tmp_path}/none.csv", code=1).stderr
