"""The SQLite that softix stands on is taken away, or is one that loses rows; what is printed then mends it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from support.process import ROOT, environment

TAKEN_AWAY = {
    "missing": """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "apsw":
            raise ModuleNotFoundError("No module named 'apsw'")

sys.meta_path.insert(0, Without())
""",
    "one that loses rows": """
import apsw
apsw.sqlite_lib_version = lambda: "3.51.2"
""",
}
"""Each until the library is installed in the folder of that name."""


def wheel(folder: Path) -> None:
    """Made of the installed library, so that pip has it without a network."""
    installed = distribution("apsw")
    told = (installed.read_text("WHEEL") or "").splitlines()
    tag = next(line.removeprefix("Tag: ") for line in told if line.startswith("Tag: "))
    with zipfile.ZipFile(folder / f"apsw-{installed.version}-{tag}.whl", "w", zipfile.ZIP_STORED) as made:
        for file in installed.files or ():
            if (
                ".." not in file.parts
                and "__pycache__" not in file.parts
                and file.name not in ("INSTALLER", "REQUESTED")
            ):
                made.write(str(file.locate()), str(file))


@pytest.mark.parametrize("what", TAKEN_AWAY)
def test_remedy_for_an_unusable_sqlite_library_works_as_printed(tmp_path: Path, what: str) -> None:
    startup, target, wheels = (tmp_path / name for name in ("startup", "target", "wheels"))
    for folder in (startup, wheels):
        folder.mkdir()
    wheel(wheels)
    lines = "".join(f"    {line}\n" for line in TAKEN_AWAY[what].splitlines())
    (startup / "sitecustomize.py").write_text(
        f"import os, sys\nif os.path.isdir({str(target)!r}):\n    sys.path.insert(0, {str(target)!r})\nelse:\n{lines}"
    )
    known = environment(PYTHONPATH=f"{startup}:{ROOT}")
    softix = [sys.executable, "-m", "softix_proxy", "--data-dir", str(tmp_path / "softix")]
    refused = subprocess.run([*softix, "init"], capture_output=True, text=True, env=known, timeout=60)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr, refused.stderr
    assert "SQLite" in refused.stderr and not (tmp_path / "softix" / "softix.db").exists()
    printed = next(line for line in refused.stderr.splitlines() if "run: " in line).partition("run: ")[2]
    done = subprocess.run(
        printed,
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(
            PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels), PIP_TARGET=str(target), PIP_DISABLE_PIP_VERSION_CHECK="1"
        ),
    )
    assert done.returncode == 0, done.stderr
    again = subprocess.run([*softix, "init"], capture_output=True, text=True, env=known, timeout=60)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "softix" / "softix.db").exists()
