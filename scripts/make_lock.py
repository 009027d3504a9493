"""Locks every dependency to its version and the hashes of its files, for all platforms on which softix runs.

python scripts/make_lock.py            write requirements/*.lock; it asks the package index
python scripts/make_lock.py --upgrade  take newer versions of what is locked

It runs `uv`, which resolves for all platforms at once. No host is in the files.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
LOCKS = {"softix.lock": (), "extras.lock": ("bedrock", "vertex", "invoice", "parquet")}
"""File → extras that it has beside softix itself."""
HEAD = "# Made by scripts/make_lock.py: run `make lock`. Install: pip install --require-hashes -r requirements/{name}\n"


def lock(name: str, extras: tuple[str, ...], upgrade: bool) -> None:
    place = FOLDER / name
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"]
    command += ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet", "--output-file", str(place)]
    command += [word for extra in extras for word in ("--extra", extra)] + (["--upgrade"] if upgrade else [])
    if place.is_file():  # what is locked stays
        place.write_text(place.read_text("utf-8").removeprefix(HEAD.format(name=name)), "utf-8")
    subprocess.run(command, cwd=ROOT, check=True)
    place.write_text(HEAD.format(name=name) + place.read_text("utf-8"), "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Locks the dependencies.")
    parser.add_argument("--upgrade", action="store_true")
    upgrade = parser.parse_args().upgrade
    FOLDER.mkdir(exist_ok=True)
    for name, extras in LOCKS.items():
        lock(name, extras, upgrade)
        print(f"written: requirements/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
