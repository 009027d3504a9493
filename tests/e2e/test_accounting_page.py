"""docs/accounting.md shows a month's books: what it shows is what its commands say."""

from __future__ import annotations

import re
import subprocess
import sys

from support import importers
from support.process import ROOT

PAGE = (ROOT / "docs" / "accounting.md").read_text("utf-8")


def test_accounting_page_equals_the_output_of_its_commands() -> None:
    importers.run("hledger", "--version")
    command = [sys.executable, ROOT / "scripts" / "make_accounting.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_trial_balances_of_the_accounting_page_sum_to_zero_and_match_the_ledger() -> None:
    before, after = (
        block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) if "balance --flat" in block
    )
    [cash] = re.findall(r"^cash +-(\S+)$", before, re.MULTILINE)
    for block in (before, after):
        report = block.split("balance --flat\n")[1].split("$ ")[0].split("---")[0]
        balances = importers.balances(report)
        assert len(balances) > 4 and sum(balances.values()) == 0
        assert balances["assets:cash"] == int(cash.replace(".", "")) * 10**10
    assert "income:" not in after.split("balance --flat\n")[1] and "The books are right." in before
