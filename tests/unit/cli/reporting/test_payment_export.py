from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Softix = Callable[..., Result]
ACTIVITY = """balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,payment_intent_id
txn_1,2026-10-01 09:12:00,usd,-2.00,0.00,-2.00,fee,
txn_2,2026-10-01 10:00:00,usd,9.00,0.56,8.44,charge,pi_of_another_program
"""
PAYOUTS = """payout_id,effective_at_utc,currency,gross,fee,net,reporting_category,balance_transaction_id
po_1,2026-10-02 00:00:00,usd,-40.00,0.40,-40.40,payout,txn_3
"""


@pytest.fixture
def reports(instance: Path) -> tuple[Path, Path]:
    activity, payouts = instance / "activity.csv", instance / "payouts.csv"
    activity.write_text(ACTIVITY)
    payouts.write_text(PAYOUTS)
    return activity, payouts


def test_export_of_two_reports_is_a_journal_with_its_sums(
    reports: tuple[Path, Path], instance: Path, run: Softix
) -> None:
    out = instance / "stripe.journal"
    done = run(f"payments export {reports[0]} {reports[1]} --format hledger --out {out} --json")
    assert json.loads(done.stdout) == {
        "out": str(out),
        "from": "2026-10-01",
        "to": "2026-10-03",
        "fees": "2.40",
        "payouts": "40.00",
        "currency": "USD",
        "left_out": {"charge": "8.44"},
    }
    assert (out.stat().st_mode & 0o777) == 0o600


@pytest.mark.skipif(shutil.which("hledger") is None, reason="needs hledger")
def test_export_for_hledger_passes_its_strictest_check_and_adds_up(
    reports: tuple[Path, Path], instance: Path, run: Softix
) -> None:
    out = str(instance / "stripe.journal")
    run(f"payments export {reports[0]} {reports[1]} --format hledger --out {out}")
    subprocess.run(["hledger", "-f", out, "check", "-s"], check=True)
    balance = ["hledger", "-f", out, "balance", "--flat", "--no-total", "--layout", "bare"]
    found = subprocess.run(balance, check=True, capture_output=True, text=True).stdout
    sums = {line.split("USD")[1].strip(): line.split()[0] for line in found.splitlines() if "USD" in line}
    assert {name: float(amount) for name, amount in sums.items()} == {
        "assets:bank": 40.0,
        "assets:cash": -42.4,
        "expenses:payment fees": 2.4,
    }


def test_export_to_standard_output_tells_the_sums_and_what_is_left_out(reports: tuple[Path, Path], run: Softix) -> None:
    done = run(f"payments export {reports[0]} --format quickbooks")
    assert done.stdout.startswith("Journal No.,") and "SXP261001-1" in done.stdout
    assert "fees 2.00 USD, payouts 0.00 USD" in done.stderr
    assert "left out: lines of charge, which moved 8.44 USD" in done.stderr


def test_export_never_overwrites_unasked(reports: tuple[Path, Path], instance: Path, run: Softix) -> None:
    (instance / "there").write_text("mine")
    command = f"payments export {reports[0]} --format ledger --out {instance / 'there'}"
    done = run(command, code=1)
    assert "--force" in done.stderr and (instance / "there").read_text() == "mine"
    run(f"{command} --force")
    assert "Stripe" in (instance / "there").read_text()


def test_export_of_a_file_that_is_no_report_or_not_there_is_one_line(instance: Path, run: Softix) -> None:
    (instance / "x.csv").write_text("a,b\n1,2\n")
    assert "no column currency" in run(f"payments export {instance / 'x.csv'} --format ledger", code=2).stderr
    assert "cannot read" in run(f"payments export {instance / 'none.csv'} --format ledger", code=1).stderr
