"""The programs that take our exports, as they come from Debian and PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

REQUIRED = os.environ.get("IMPORTERS") == "required"
"""In CI a missing program is a failure."""


def run(program: str, *arguments: str | Path, cwd: Path | None = None) -> str:
    """Its standard output; fails where it does not end well."""
    if shutil.which(program) is None:
        assert not REQUIRED, f"{program} is needed: apt-get install {program}"
        pytest.skip(f"{program} is not installed (Debian: apt-get install {program})")
    environ = {**os.environ, "LC_ALL": "C.UTF-8"}
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=cwd, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def balances(report: str) -> dict[str, int]:
    """Account → pico-USD, from a flat balance report of hledger or ledger; those of 0 are left out."""
    found: Counter[str] = Counter()
    for line in report.splitlines():
        amount, _, rest = line.strip().partition(" USD")
        if rest.strip():
            found[rest.strip()] += int(Decimal(amount).scaleb(12))
    return {account: pico for account, pico in found.items() if pico}


def beancount_balances(file: Path) -> dict[str, int]:
    """The same by beancount, which must find nothing wrong in the file, its balance assertions included."""
    from beancount import loader
    from beancount.core import data

    entries, errors, _ = loader.load_file(str(file))
    assert not errors, "; ".join(error.message for error in errors)
    found: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                assert posting.units is not None and posting.units.number is not None
                found[posting.account] += int(posting.units.number.scaleb(12))
    return {account: pico for account, pico in found.items() if pico}
