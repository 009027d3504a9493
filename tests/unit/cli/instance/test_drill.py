import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]


@pytest.fixture
def backup(read: Callable[[str], Any], instance: Path, tmp_path: Path) -> str:
    read("users create ada --email ada@example.org")
    read("balance add ada@example.org 5")
    return str(read(f"backup {tmp_path / 'books.backup'} --plain")["path"])


def test_drill_says_what_would_be_lost_and_changes_nothing(
    run: Softix, read: Callable[[str], Any], backup: str, instance: Path
) -> None:
    read("balance add ada@example.org 7")
    before = sorted(path.name for path in instance.iterdir())
    told = read(f"drill {backup}")
    assert (told["ok"], told["restored_transfers"], told["lost_transfers"]) == (True, 1, 1)
    assert "can be restored" in run(f"drill {backup}").stderr
    assert sorted(path.name for path in instance.iterdir()) == before


def test_drill_without_a_backup_makes_one_for_itself(run: Softix, read: Callable[[str], Any], backup: str) -> None:
    told = read("drill")
    assert (told["ok"], told["backup"], told["lost_transfers"]) == (True, None, 0)
    assert "softix backup DIR" in run("drill").stderr


def test_drill_takes_the_newest_backup_of_the_folder(
    read: Callable[[str], Any], backup: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setenv("SOFTIX_BACKUP_FOLDER", str(folder))
    assert read("drill")["backup"] is None
    made = read("backup")["path"]
    assert read("drill")["backup"] == made


def test_drill_of_a_backup_with_other_books_fails(run: Softix, backup: str) -> None:
    with closing(sqlite3.connect(backup)) as books:
        books.execute("UPDATE wallets SET posted_pico = posted_pico + 1")
        books.commit()
    Path(f"{backup}.sha256").unlink()
    done = run(f"drill {backup}", code=1)
    assert "not good" in done.stderr and "wallet" in done.stdout
    assert "do not agree" in run(f"restore {backup} --yes", code=1).stderr
