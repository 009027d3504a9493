from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from softix_proxy.cli.main import main

Softix = Callable[..., Result]


@pytest.fixture
def backup(read: Callable[[str], Any], instance: Path, tmp_path: Path) -> str:
    read("users create ada --email ada@example.org")
    read("balance add ada@example.org 5")
    return str(read(f"backup {tmp_path / 'books.backup'}")["path"])


def test_restore_asks_before_it_replaces_a_database(run: Softix, backup: str, instance: Path) -> None:
    refused = run(f"restore {backup}", code=2)
    assert "--yes" in refused.stderr and not list(instance.glob("*before-restore*"))


def test_restore_brings_the_books_of_the_backup_back(
    run: Softix, read: Callable[[str], Any], backup: str, instance: Path
) -> None:
    read("balance add ada@example.org 7")
    told = read(f"restore {backup} --yes")
    assert (told["transfers"], told["lost_transfers"]) == (1, 1)
    assert read("balance show ada@example.org")["balance"] == "5.00"
    assert Path(told["kept"]).parent == instance
    assert "Restored" in run(f"restore {backup} --yes").stderr


def test_restore_after_the_database_was_lost_asks_for_the_numbers(backup: str, instance: Path) -> None:
    for file in instance.glob("softix.db*"):
        if file.is_file():
            file.unlink()
    done = CliRunner().invoke(main, ["--data-dir", str(instance), "restore", backup])
    assert done.exit_code == 0, done.output
    assert "--given-out" in done.stderr and "softix doctor" in done.stderr


def test_restore_of_a_file_that_is_missing_is_refused(run: Softix, instance: Path) -> None:
    run(f"restore {instance / 'none'} --yes", code=2)
