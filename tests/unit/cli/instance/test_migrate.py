import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support import newer

from softix_proxy.storage.sqlite.core import slots

Softix = Callable[..., Result]


@pytest.fixture
def pending(run: Softix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance was made by the version before this one."""
    newer.know(monkeypatch, newer.step(tmp_path))


def test_migrate_with_current_schema_changes_nothing(run: Softix, read: Callable[[str], Any], instance: Path) -> None:
    assert "nothing was changed" in run("migrate").stderr
    assert "Nothing is to be done." in run("migrate --plan").stderr
    told = read("migrate")
    assert (told["applied"], told["backup"], told["schema"]) == ([], None, newer.NUMBER - 1)
    assert not list(instance.glob("*.backup"))


@pytest.mark.usefixtures("pending")
def test_other_commands_with_pending_migration_exit_with_the_migrate_remedy(run: Softix, instance: Path) -> None:
    for line in ("users list", "usage list", "users create ada --email ada@example.org", "quickstart --check"):
        refused = run(line, code=1)
        assert f"is of schema {newer.NUMBER - 1}, this softix needs schema {newer.NUMBER}" in refused.stderr
        assert "run: softix migrate" in refused.stderr and "Traceback" not in refused.output
    assert not list(instance.glob("*.backup"))
    run("migrate")
    assert run("users list").exit_code == 0


@pytest.mark.usefixtures("pending")
def test_migrate_plan_with_pending_migration_lists_the_steps_and_changes_nothing(
    read: Callable[[str], Any], run: Softix, instance: Path
) -> None:
    told = read("migrate --plan")
    assert told == {
        "database": str(instance / "softix.db"),
        "schema": newer.NUMBER - 1,
        "needed_schema": newer.NUMBER,
        "steps": [{"number": newer.NUMBER, "name": newer.NAME[5:], "why": "One more table, for later."}],
        "backup_dir": str(instance),
        "needed_bytes": told["needed_bytes"],
        "free_bytes": told["free_bytes"],
        "obstacle": None,
        "remedy": None,
    }
    assert told["free_bytes"] > told["needed_bytes"] > (instance / "softix.db").stat().st_size
    shown = run("migrate --plan")
    assert "One more table" in shown.stdout and "Do it: softix migrate" in shown.stderr
    assert not list(instance.glob("*.backup"))
    assert "a migration is pending" in run("doctor --only migrations").stdout


@pytest.mark.usefixtures("pending")
def test_migrate_plan_while_softix_serves_reports_the_obstacle(
    read: Callable[[str], Any], run: Softix, instance: Path
) -> None:
    slot = slots.acquire(instance / "softix.db")
    try:
        assert read("migrate --plan")["remedy"] == "stop softix serve, then try again"
        assert "It cannot be done now: softix serves" in run("migrate --plan").stderr
        assert "stop softix serve" in run("migrate", code=1).stderr
    finally:
        slot.release()


@pytest.mark.usefixtures("pending")
def test_migrate_with_pending_migration_prints_the_path_of_the_backup(
    run: Softix, read: Callable[[str], Any], instance: Path, tmp_path: Path
) -> None:
    told = run("migrate")
    [backup] = instance.glob("*.backup")
    assert f"The backup is {backup}" in told.stderr and str(backup) in told.stdout
    assert read("migrate")["backup"] is None


@pytest.mark.usefixtures("pending")
def test_init_with_pending_migration_changes_nothing(run: Softix, instance: Path) -> None:
    told = json.loads(run("init --json").stdout)
    assert (told["made"], told["migration_pending"]) == ([], True)
    assert "softix migrate" in run("init").stderr
    assert not list(instance.glob("*.backup"))


def test_migrate_with_missing_backup_folder_exits_with_code_2(run: Softix, tmp_path: Path) -> None:
    assert "--backup-dir" in run(f"migrate --backup-dir {tmp_path / 'none'}", code=2).stderr
