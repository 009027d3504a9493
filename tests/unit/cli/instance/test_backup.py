from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


def test_backup_prints_its_path_and_checksum(run: Softix, read: Callable[[str], Any], folder: Path) -> None:
    told = read(f"backup {folder}")
    assert Path(told["path"]).is_file() and len(told["sha256"]) == 64 and told["encrypted"] is True
    assert told["removed"] == [] and told["bytes"] == Path(told["path"]).stat().st_size
    assert "The backup is" in run(f"backup {folder} --plain").stderr
    assert "the last backup is of" in run("doctor --only backup").stdout


def test_backup_without_a_place_goes_to_the_folder_of_the_settings(
    run: Softix, read: Callable[[str], Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("backup", code=2)
    assert "softix backup DIR" in refused.stderr and "backup.folder" in refused.stderr
    monkeypatch.setenv("SOFTIX_BACKUP_FOLDER", str(folder))
    monkeypatch.setenv("SOFTIX_BACKUP_ENCRYPT", "false")
    monkeypatch.setenv("SOFTIX_BACKUP_KEEP", "1d")
    first = read("backup")
    assert Path(first["path"]).parent == folder and first["encrypted"] is False
    second = read("backup")
    assert second["removed"] == [Path(first["path"]).name]
    assert Path(second["path"]).is_file() and not Path(first["path"]).exists()


def test_backup_with_another_form_of_keep_is_refused(run: Softix, folder: Path) -> None:
    assert "7d,4w,12m" in run(f"backup {folder} --keep weekly", code=2).stderr
    assert "name a folder" in run(f"backup {folder / 'file'} --keep 7d", code=2).stderr
    assert list(folder.iterdir()) == []


def test_backup_to_a_folder_that_is_missing_says_what_to_do(run: Softix, tmp_path: Path) -> None:
    refused = run(f"backup {tmp_path / 'none' / 'file'}", code=1)
    assert "cannot write" in refused.stderr and "name a folder that exists" in refused.stderr
