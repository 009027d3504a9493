from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import Result
from support.process import environment

from softix_proxy.domain.core.clock import DAY_US, SystemClock, format_instant, parse_instant
from softix_proxy.operations.reporting.exports import FORMATS
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
YESTERDAY, TODAY, TOMORROW = (str(format_instant(NOW_US + days * DAY_US))[:10] for days in (-1, 0, 1))
PERIOD = f"--from {YESTERDAY} --to {TOMORROW}"


def test_usage_export_to_standard_output_or_file_contains_the_rows_of_the_period(
    database: Database, run: Softix, tmp_path: Path
) -> None:
    done = run(f"usage export {PERIOD}")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["charge"] for row in rows] == ["0.0028", "0.00"]
    assert "2 rows, charged 0.0028 USD" in done.stderr
    whole = tmp_path / "usage.jsonl"
    run(f"usage export {PERIOD} --format jsonl --out {whole}")
    assert [json.loads(line)["charge"] for line in whole.read_text().splitlines()] == ["0.0028", "0.00"]
    assert "exists" in run(f"usage export {PERIOD} --out {whole}", code=1).stderr
    told = json.loads(run(f"--json usage export {PERIOD} --user ada --out {whole} --force").stdout)
    assert told == {
        "out": str(whole),
        "rows": 2,
        "provider_cost": "0.0028",
        "charge": "0.0028",
        "currency": "USD",
        "manifest": f"{whole}.0002.manifest.json",
        "number": 2,
    }
    assert whole.read_text().startswith("row_id,"), "csv is the default for a file"


def test_usage_export_with_bad_input_leaves_no_file(database: Database, run: Softix, tmp_path: Path) -> None:
    out = tmp_path / "usage.csv"
    assert "no user" in run(f"usage export {PERIOD} --user eve --out {out}", code=1).stderr
    assert "not a date" in run(f"usage export --from soon --to {TODAY} --out {out}", code=2).stderr
    assert "cannot write" in run(f"usage export {PERIOD} --out {tmp_path}/no/usage.csv", code=1).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["softix"]


def left(folder: Path) -> list[str]:
    """But for the instance, and manifests."""
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if name != "softix" and not name.endswith(".manifest.json"))


def test_usage_export_with_journal_format_is_printed_or_written_to_a_file(
    database: Database, run: Softix, tmp_path: Path
) -> None:
    done = run(f"usage export {PERIOD} --format hledger --costs --name revenue=income:tokens")
    assert "    income:tokens " in done.stdout and "    expenses:ai:lab " in done.stdout
    assert "3 rows, charged 0.0028 USD" in done.stderr, "the top-up is one"
    path = tmp_path / "books.beancount"
    run(f"usage export {PERIOD} --format beancount --granularity day --out {path}")
    assert f"{TOMORROW} balance Liabilities:Prepaid:Usr-" in path.read_text()


def test_usage_export_to_a_folder_names_the_files_by_format_and_period(
    database: Database, run: Softix, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    told = json.loads(run(f"--json usage export {PERIOD} --format xero --out {folder}").stdout)
    assert told["files"] == left(folder) == [f"xero_{YESTERDAY}_{TOMORROW}_001.csv"]
    run(f"usage export {PERIOD} --format parquet --out {folder}")
    table = pyarrow.parquet.read_table(folder / f"parquet_{YESTERDAY}_{TOMORROW}.parquet")
    assert [str(charge) for charge in table["charge"].to_pylist()] == ["0.002800000000", "0E-12"]
    assert "exists" in run(f"usage export {PERIOD} --format xero --out {folder}", code=1).stderr
    run(f"usage export {PERIOD} --format xero --out {folder} --force")


@pytest.mark.parametrize("form", FORMATS)
def test_usage_export_with_each_format_writes_its_output(
    database: Database, run: Softix, tmp_path: Path, form: str
) -> None:
    run(f"usage export {PERIOD} --format {form} --out {tmp_path / 'out'}")
    assert left(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--format xero", 2, "xero makes several files"),
        ("--format xero --out {tmp}/taken", 2, "is not a folder"),
        ("--format quickbooks --granularity row --out {tmp}/out", 2, "no granularity row"),
        ("--format csv --granularity day --out {tmp}/out", 2, "no granularity day"),
        ("--format hledger --name 'wallets=a=b' --out {tmp}/out", 2, "'a=b' cannot be a name"),
        ("--format beancount --name cash=bank --out {tmp}/out", 2, "'bank' cannot be a name"),
        ("--format odoo --name 'journal==x' --out {tmp}/out", 2, "'=x' cannot be a name"),
        ("--format hledger --name rent=x --out {tmp}/out", 2, "not a name for the books"),
        ("--format jsonl --costs --out {tmp}/out", 2, "does not take --costs"),
        ("--format hledger --user eve --out {tmp}/out", 1, "no user"),
        ("--format hledger --out {tmp}/no/out", 1, "cannot write"),
        ("--format xero --out {tmp}/taken/out", 1, "cannot write"),
        ("--format hledger --resume --out {tmp}/out", 2, "only a file of rows"),
        ("--resume", 2, "only a file of rows"),
        ("--format excel --out {tmp}/out", 2, "'excel' is not one of"),
        ("--format hledger --granularity week --out {tmp}/out", 2, "'week' is not one of"),
    ],
)
def test_usage_export_with_impossible_options_writes_nothing(
    database: Database, run: Softix, tmp_path: Path, options: str, code: int, said: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    done = run(f"usage export {PERIOD} {options.format(tmp=tmp_path)}", code=code)
    assert said in done.stderr and "Traceback" not in done.stderr
    assert left(tmp_path) == ["taken"] and (tmp_path / "taken").read_text() == "mine"
    assert done.stdout == ""


def test_usage_export_of_an_unfinished_period_prints_a_notice(database: Database, run: Softix) -> None:
    assert "not over" in run(f"usage export {PERIOD} --format quickbooks").stderr
    assert "not over" in run(f"usage export {PERIOD} --format hledger --granularity day").stderr
    assert "not over" not in run(f"usage export {PERIOD} --format hledger").stderr
    past = f"--from {YESTERDAY} --to {TODAY}"
    assert "not over" not in run(f"usage export {past} --format quickbooks").stderr


def test_usage_export_with_billing_zone_begins_days_in_that_zone(
    database: Database, run: Softix, instance: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for line in ("--zone Asia/Tokyo --format hledger", "--format beancount"):
        (instance / "config.toml").write_text('[billing]\nzone = "America/Lima"\n')
        run(f"usage export {PERIOD} {line} --out {folder}")
    assert left(folder) == [f"beancount_{YESTERDAY}_{TOMORROW}.beancount", f"hledger_{YESTERDAY}_{TOMORROW}.journal"]
    assert f"{TOMORROW} balance " in (folder / left(folder)[0]).read_text(), "midnight there"
    assert "not a time zone" in run(f"usage export {PERIOD} --zone Mars", code=2).stderr


def test_usage_export_on_a_terminal_reports_rows_and_writes_the_file(
    database: Database, instance: Path, tmp_path: Path
) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "softix_proxy", "--data-dir", str(instance), "usage", "export", *PERIOD.split()]
    process = subprocess.Popen(
        [*command, "--format", "hledger", "--out", str(tmp_path / "out.journal")],
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        env=environment(TERM="xterm"),
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the other end is closed
        pass
    assert process.wait(timeout=60) == 0
    assert re.search(rb"[\d,]+ of about [\d,]+ rows", seen), "the progress bar"
    assert (tmp_path / "out.journal").exists()


def test_usage_export_of_a_closed_period_writes_a_signed_manifest_beside_the_file(
    database: Database, run: Softix, read: Read, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    out = folder / "day.csv"
    until = format_instant(SystemClock().now_us())
    run(f"period close day --from {YESTERDAY} --to {until}")
    told = run(f"usage export --period day --out {out}")
    assert "2 rows, charged 0.0028 USD" in told.stderr and f"→ {out}, with manifest 1" in told.stderr
    manifest = json.loads((folder / "day.csv.0001.manifest.json").read_bytes())
    assert manifest["body"]["period"] == {
        "name": "day",
        "from": f"{YESTERDAY}T00:00:00.000000Z",
        "to": until,
    }
    [total] = manifest["body"]["totals"]
    assert total == {"currency": "USD", "rows": 2, "provider_cost": "0.0028", "charge": "0.0028"}
    assert read("export list")[0]["name"] == "day.csv"
    key = read("export public-key")["public_key"]
    assert manifest["head"]["public_key"] == key
    assert "as it was exported" in run(f"export verify {folder} --public-key {key} --first 1 --last 1").stderr


def test_usage_export_after_a_kill_before_placing_the_file_completes_with_the_same_manifest(
    database: Database, run: Softix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "day.csv"
    with monkeypatch.context() as patch:
        patch.setattr(
            "softix_proxy.exports.reporting.atomic_file._place", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        run(f"usage export {PERIOD} --out {out}", code=1)
    assert not out.exists()
    assert "with manifest 1" in run(f"usage export {PERIOD} --out {out}").stderr
    assert {path.name for path in tmp_path.glob("day*")} == {"day.csv", "day.csv.0001.manifest.json"}
    assert "exists" in run(f"usage export {PERIOD} --out {out}", code=1).stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("", 2, "which period?"),
        (f"--period 2026-01 {PERIOD}", 2, "which period?"),
        (f"--from {TODAY}", 2, "two ends"),
        ("--period 2026-01", 1, "no closed period '2026-01'"),
    ],
)
def test_usage_export_with_ambiguous_period_is_refused(
    database: Database, run: Softix, options: str, code: int, message: str
) -> None:
    assert message in run(f"usage export {options}", code=code).stderr


def test_usage_export_without_the_master_key_writes_no_file(database: Database, run: Softix, instance: Path) -> None:
    (instance / "master.key").rename(instance / "elsewhere")
    assert "master key is missing" in run(f"usage export {PERIOD} --out {instance}/a.csv", code=1).stderr
    assert not list(instance.glob("a.csv*"))
    assert run(f"usage export {PERIOD}").stdout.startswith("row_id,"), "standard output is not signed"
