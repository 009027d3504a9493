import json
import os
import pty
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from softix_proxy.doctor import checkup
from softix_proxy.storage.sqlite.core import engine, migrations

PROGRAM = "from softix_proxy.cli.main import main; main(prog_name='softix')"


def softix(folder: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, "--data-dir", str(folder), *words]
    return subprocess.run(command, text=True, **({"capture_output": True} | more))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOFTIX_MASTER_KEY", raising=False)
    home = tmp_path / "softix"
    assert softix(home, "init").returncode == 0
    return home


def test_doctor_with_json_returns_every_check_and_exits_by_the_result(home: Path) -> None:
    done = softix(home, "doctor", "--offline", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert told["ok"] is True
    assert {finding["check"] for finding in told["findings"]} == set(checkup.CHECKS)
    assert all(set(finding) == {"check", "severity", "message", "remedy"} for finding in told["findings"])
    (home / "master.key").write_text(secrets.token_hex(32))
    done = softix(home, "doctor", "--offline", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False


def test_doctor_on_a_pipe_prints_plain_words(home: Path) -> None:
    done = softix(home, "doctor", "--only", "providers", "--only", "migrations")
    assert done.returncode == 0
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["severity", "check", "message", "remedy"],
        ["ok", "migrations", f"schema {migrations.latest()} is up to date, and what its migrations make", "-"],
        [
            "warning",
            "providers",
            "there is no active provider",
            "run: softix providers add openai --type openai --key-stdin",
        ],
    ]


def test_doctor_on_a_terminal_prints_marks_and_remedies(home: Path) -> None:
    (home / "master.key").chmod(0o644)
    ours, theirs = pty.openpty()
    done = softix(
        home,
        "doctor",
        "--only",
        "file-modes",
        "--only",
        "clock",
        "--only",
        "providers",
        capture_output=False,
        stdout=theirs,
    )
    os.close(theirs)
    printed = click.unstyle(os.read(ours, 65536).decode())
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    os.close(ours)
    assert done.returncode == 1
    assert f"✗ file-modes others may read {home / 'master.key'}" in lines
    assert f"→ run: chmod 600 {home / 'master.key'}" in lines
    assert any(line.startswith("✓ clock the clock says 2") for line in lines)
    assert "! providers there is no active provider" in lines


def test_doctor_with_damaged_database_reports_it_without_a_traceback(home: Path) -> None:
    content = bytearray((home / "softix.db").read_bytes())
    content[4096:40960] = secrets.token_bytes(36864)
    (home / "softix.db").write_bytes(content)
    done = softix(home, "doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    broken = {finding["check"] for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"}
    assert "database" in broken
    assert broken < set(checkup.CHECKS)


def test_doctor_during_an_open_write_transaction_succeeds(home: Path) -> None:
    books = engine.connect(home / "softix.db")
    books.execute("BEGIN IMMEDIATE")
    done = softix(home, "doctor", "--offline", "--json")
    books.execute("COMMIT")
    books.close()
    assert done.returncode == 0, done.stdout + done.stderr


def test_doctor_help_contains_an_example(home: Path) -> None:
    assert "Example:\n  softix doctor" in softix(home, "doctor", "--help").stdout
