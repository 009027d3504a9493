import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "from softix_proxy.cli.main import main; main(prog_name='softix')"


def softix(folder: Path, *words: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, "--data-dir", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environ)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def init(folder: Path, **environ: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(softix(folder, "init", "--json", **environ).stdout)
    return read


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_init_in_a_missing_folder_creates_an_instance(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    assert init(home) == {
        "data_dir": str(home),
        "config": None,
        "config_place": str(home / "config.toml"),
        "database": str(home / "softix.db"),
        "master_key": str(home / "master.key"),
        "made": ["data_dir", "database", "master_key"],
        "migration_pending": False,
    }
    assert (mode(home), mode(home / "master.key"), mode(home / "softix.db")) == (0o700, 0o600, 0o600)
    assert json.loads(softix(home, "users", "list", "--json").stdout) == []
    assert json.loads(softix(home, "secrets", "status", "--json").stdout)["source"] == "file"


def test_init_without_a_data_dir_says_where_the_configuration_would_be_read_from(tmp_path: Path) -> None:
    environ = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environ.pop("SOFTIX_DATA_DIR", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM, "init"], capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr
    assert f"none; it would be read from {tmp_path / 'config' / 'softix' / 'config.toml'}" in done.stdout


def test_init_run_twice_changes_nothing(tmp_path: Path) -> None:
    init(tmp_path)
    key = (tmp_path / "master.key").read_bytes()
    again = softix(tmp_path, "init")
    assert "nothing was changed" in again.stderr
    assert "Next: softix providers add" in again.stderr
    assert "\n      softix serve\n" in again.stderr, "each command stands on a line of its own"
    assert key.decode().strip() not in again.stdout + again.stderr
    assert (tmp_path / "master.key").read_bytes() == key
    assert init(tmp_path)["made"] == []


def test_init_with_a_new_master_key_advises_a_copy_once(tmp_path: Path) -> None:
    first = softix(tmp_path, "init")
    assert "Keep a copy of the master key" in first.stderr
    assert "Keep a copy" not in softix(tmp_path, "init").stderr


def test_init_with_master_key_from_the_environment_writes_no_key_file(tmp_path: Path) -> None:
    key = secrets.token_hex(32)
    done = init(tmp_path, SOFTIX_MASTER_KEY=key)
    assert (done["master_key"], done["made"]) == ("environment", ["database"])
    assert not (tmp_path / "master.key").exists()
    refused = softix(tmp_path, "init", code=1)
    assert refused.stderr.startswith("softix: the master key is missing\n  → put it back at ")
    assert not (tmp_path / "master.key").exists()
    other = softix(tmp_path, "init", code=1, SOFTIX_MASTER_KEY=secrets.token_hex(32))
    assert other.stderr.startswith("softix: the master key is not this instance's")
    assert key not in other.stderr


def test_init_with_a_lost_master_key_creates_no_new_one(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / "master.key").unlink()
    refused = json.loads(softix(tmp_path, "init", "--json", code=1).stderr)
    assert refused["error"] == "the master key is missing"
    assert str(tmp_path / "master.key") in refused["remedy"]
    assert not (tmp_path / "master.key").exists()


def test_init_after_an_interrupted_run_creates_only_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text(secrets.token_hex(32))
    (tmp_path / "master.key").chmod(0o600)
    assert init(tmp_path)["made"] == ["database"]


def test_init_with_a_master_key_readable_by_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text(secrets.token_hex(32))
    (tmp_path / "master.key").chmod(0o644)
    assert f"→ run: chmod 600 {tmp_path / 'master.key'}" in softix(tmp_path, "init", code=1).stderr


def test_init_below_a_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = softix(tmp_path / "file" / "home", "init", code=1)
    assert "name another place with --data-dir" in refused.stderr


@pytest.mark.parametrize("words", [["providers", "list"], ["secrets", "status"], ["secrets", "rotate", "--yes"]])
def test_command_before_init_prints_the_init_remedy(tmp_path: Path, words: list[str]) -> None:
    assert "→ run: softix init" in softix(tmp_path, *words, code=1).stderr
