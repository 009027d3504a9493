import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "from softix_proxy.cli.main import main; main(prog_name='softix')"


def softix(folder: Path, *words: str, stdin: str = "", code: int = 0, **environ: str) -> Any:
    """Runs a command as a process; returns what it printed as JSON."""
    command = [sys.executable, "-c", PROGRAM, "--data-dir", str(folder), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=os.environ | environ)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in words else done


@pytest.fixture
def home(tmp_path: Path) -> Path:
    softix(tmp_path, "init")
    for name in ("openai", "anthropic"):
        softix(
            tmp_path,
            "providers",
            "add",
            name,
            "--type",
            name,
            "--key-stdin",
            "--no-test",
            stdin="sk-" + secrets.token_hex(9),
        )
    return tmp_path


def test_secrets_rotate_replaces_the_master_key(home: Path) -> None:
    old, before = (home / "master.key").read_text(), softix(home, "secrets", "status", "--json")
    assert before == before | {"source": "file", "secrets": 2, "outstanding": 0, "rotating": False}
    done = softix(home, "secrets", "rotate", "--yes", "--json")
    assert done == done | {"resumed": False, "rewrapped": 2, "in_place": True}
    assert done["master_key_id"] != before["master_key_id"]
    assert (home / "master.key").read_text() != old
    after = softix(home, "secrets", "status", "--json")
    assert after == before | {"master_key_id": done["master_key_id"]}


def test_secrets_rotate_without_yes_is_refused(home: Path) -> None:
    key = (home / "master.key").read_text()
    refused = softix(home, "secrets", "rotate", code=2)
    assert "--yes" in refused.stderr
    assert (home / "master.key").read_text() == key


def test_secrets_rotate_with_key_from_the_environment_waits_until_the_operator_replaces_it(tmp_path: Path) -> None:
    first = secrets.token_hex(32)
    softix(tmp_path, "init", SOFTIX_MASTER_KEY=first)
    done = softix(tmp_path, "secrets", "rotate", "--yes", SOFTIX_MASTER_KEY=first)
    assert f"Now put the new key, in {tmp_path / 'master.key.next'}, where the old one comes from" in done.stderr
    waiting = softix(tmp_path, "secrets", "status", SOFTIX_MASTER_KEY=first)
    assert "Go on with: softix secrets rotate" in waiting.stderr
    second = (tmp_path / "master.key.next").read_text().strip()
    end = softix(tmp_path, "secrets", "rotate", "--yes", "--json", SOFTIX_MASTER_KEY=second)
    assert end == end | {"resumed": True, "in_place": True}
    assert not (tmp_path / "master.key.next").exists()
    for text in (done.stdout, done.stderr, waiting.stdout, waiting.stderr):
        assert first not in text
        assert second not in text


def test_secrets_status_without_the_master_key_prints_an_error_of_two_lines(home: Path) -> None:
    (home / "master.key").unlink()
    refused = softix(home, "secrets", "status", code=1)
    assert refused.stderr.startswith("softix: the master key is missing\n  → put it back at")
    assert len(refused.stderr.splitlines()) == 2
