from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from support.applied import TOML

from softix_proxy.storage.sqlite.core.engine import connect

Run = Callable[..., Result]
Read = Callable[[str], Any]


def everything(instance: Path) -> dict[str, list[Any]]:
    """All rows of the database but those that every command writes."""
    connection = connect(instance / "softix.db")
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}
    finally:
        connection.close()


def test_file_is_applied_and_a_second_run_changes_nothing(file: Path, run: Run, read: Read, instance: Path) -> None:
    done = read(f"apply {file} --yes")
    assert (done["created"], done["changed"], done["unchanged"]) == (9, 1, 0)
    [key] = done["keys"]
    assert key["key"].startswith("sx_live_") and (key["user"], key["name"]) == ("bob", "ci")
    shown = read("keys show " + key["id"])
    assert shown["rpm"] == 60 and shown["models"] == ["gpt-*", "best"] and shown["expires_at"] is not None
    assert read("balance show bob")["credit_limit"] == "50.00"
    assert read("routes show best")["sticky"] is False
    assert read("prices show lab/llama")["charged"] == {"input": "2.2", "output": "8.8"}
    assert [one["amount"] for one in read("budgets list acme")] == ["100.00"]
    before = everything(instance)
    again = read(f"apply {file} --yes")
    assert (again["changes"], again["keys"], again["unchanged"]) == ([], [], 10)
    assert everything(instance) == before


def test_dry_run_shows_the_difference_and_changes_nothing(file: Path, run: Run, read: Read, instance: Path) -> None:
    before = everything(instance)
    told = read(f"apply {file} --dry-run")
    assert told["dry_run"] is True and told["created"] == 9 and told["keys"] == []
    assert everything(instance) == before
    run(f"apply {file} --yes")
    file.write_text(TOML.replace("rpm = 60", "rpm = 90").replace("output = 8", "output = 9"))
    changes = {one["section"]: one for one in read(f"apply {file} --dry-run")["changes"]}
    assert changes["keys"]["fields"] == {"rpm": {"before": 60, "after": 90}}
    assert changes["prices"]["fields"]["prices"]["after"] == {"input": "2.00", "output": "9"}
    assert set(changes) == {"keys", "prices"}
    assert "rpm 60 → 90" in run(f"apply {file} --dry-run").stdout


def test_one_thing_that_cannot_be_done_undoes_all(file: Path, run: Run, instance: Path) -> None:
    before = everything(instance)
    file.write_text(TOML.replace("lab/llama weight 3", "lab/other"))
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: routes best: ")
    assert everything(instance) == before


def test_without_yes_nothing_is_changed(file: Path, run: Run, instance: Path) -> None:
    before = everything(instance)
    assert "Add --yes" in run(f"apply {file}", code=2).stderr
    assert everything(instance) == before


def test_json_of_the_difference_is_whole(file: Path, read: Read) -> None:
    told = read(f"apply {file} --dry-run")
    assert json.dumps(told["changes"]).count('"effect": "created"') == 9
