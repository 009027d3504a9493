"""The floors of the house, as contracts in pyproject.toml; and that the contracts bite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.sources import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """The linter puts its working directory first, so it reads that folder's code."""
    command = [LINT, "--config", ROOT / "pyproject.toml", "--no-cache"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def test_arrows_point_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, f"{done.stdout}\ninstead: take what you need as an argument, wired in assembly.py"
    assert ", 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("place", "line", "named"),
    [
        (
            "domain/core/money.py",
            "from softix_proxy.relay import bound",
            "softix_proxy.domain is not allowed to import",
        ),
        ("web/router/app.py", "from softix_proxy.storage import users", "softix_proxy.web is not allowed to import"),
        (
            "exports/metering/columns.py",
            "from softix_proxy import settings",
            "softix_proxy.exports is not allowed to import",
        ),
        (
            "relay/request/bound.py",
            "from softix_proxy.relay import settle",
            "softix_proxy.relay.request.bound is not allowed to import",
        ),
        ("domain/core/money.py", "import click", "softix_proxy.domain is not allowed to import click"),
        ("attic.py", "", "attic"),
    ],
)
def test_a_wrong_import_is_refused(tmp_path: Path, place: str, line: str, named: str) -> None:
    shutil.copytree(ROOT / "softix_proxy", tmp_path / "softix_proxy", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "softix_proxy" / place).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert named in " ".join(done.stdout.split())
