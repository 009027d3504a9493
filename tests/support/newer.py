"""A softix of the next version: this one, with one more migration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.process import environment

from softix_proxy.storage.sqlite.core import migrations

NUMBER = migrations.latest() + 1
NAME = f"{NUMBER:04d}_one_more"
_PROGRAM = """
import sys
from pathlib import Path
from softix_proxy.storage.sqlite.core import migrations
known, folder = migrations.available(), Path(sys.argv.pop(1))
migrations.available = lambda: [*known, (int(folder.name[:4]), folder.name[5:], folder)]
from softix_proxy.cli.main import main
main(prog_name="softix")
"""


def step(folder: Path, script: str = "CREATE TABLE one_more (x);\n") -> Path:
    place = folder / NAME
    place.mkdir()
    (place / "up.sql").write_text(script)
    (place / "note.md").write_text(f"# {NAME}\n\nOne more table, for later. It is empty.\n")
    return place


def know(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """This process is of the next version from now on."""
    known = migrations.available()
    monkeypatch.setattr(migrations, "available", lambda: [*known, (NUMBER, NAME[5:], place)])


class NewerSoftix:
    """The command line of the next version, on one data directory."""

    def __init__(self, folder: Path, data_dir: Path, script: str = "CREATE TABLE one_more (x);\n") -> None:
        self._words = [sys.executable, "-c", _PROGRAM, str(step(folder, script)), "--data-dir", str(data_dir)]

    def command(self, *words: str) -> list[str]:
        return [*self._words, *words]

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.command(*words), capture_output=True, text=True, env=environment(), timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done
