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


def test_keys_are_imported_and_shown_once(file: Path, tmp_path: Path, run: Run, read: Read) -> None:
    run(f"users import {file}")
    keys = tmp_path / "keys.csv"
    keys.write_text("user,name,rpm,allow_ip\nbob,one,60,10.0.0.0/8 ::1\nbob,two,,\n")
    report = read(f"keys import {keys}")
    texts = [one["key"] for one in report["lines"]]
    assert all(text.startswith("sx_live_") for text in texts) and len(set(texts)) == 2
    listed = {key["name"]: key for key in read("keys list --user bob")}
    assert listed["one"]["rpm"] == 60 and len(listed["one"]["allow_ip"]) == 2 and listed["two"]["rpm"] is None


def test_dry_run_reports_and_imports_nothing(file: Path, run: Run, read: Read) -> None:
    report = read(f"users import {file} --dry-run")
    assert report["dry_run"] is True and [one["id"] for one in report["lines"]] == [None, None]
    assert read("users list") == []
    assert "2 lines are right." in run(f"users import {file} --dry-run").stderr
