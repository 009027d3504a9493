from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.cli.reporting.reconcile import percent
from softix_proxy.domain.core.clock import SystemClock, parse_instant
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
GOLDEN = Path(__file__).parents[3] / "golden" / "reconcile"


@pytest.fixture(autouse=True)
def database(instance: Path, run: Softix) -> None:
    """What the golden files of OpenAI bill on 2026-10-01, but for $0.01 of the web search two days later."""
    run("users create ada --email ada@example.org --postpaid")
    run("keys create --user ada")
    run("providers add openai --type openai-compatible --base-url http://openai.example")
    run("models add gpt-4o --provider openai --input 2.50 --output 10.00")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    paid = make_settlement(
        make_intent(1, 0, postpaid=True),
        charge_pico=750_000_000_000,
        model_served="gpt-4o-2024-08-06",
        meters={"input_tokens": 200, "cached_input_tokens": 800, "output_tokens": 500},
    )
    post(connection, [paid], parse_instant("2026-10-01T12:00:00Z"))
    connection.close()


def test_reconcile_with_difference_within_the_tolerance_exits_with_code_0(run: Softix) -> None:
    shown = run(f"reconcile --provider openai --file {GOLDEN}/openai_costs.json --tolerance 2%")
    lines = shown.stdout.splitlines()
    assert lines[:3] == [
        "matched 98.68 %, difference 0.010001 USD",
        "OpenAI's costs, provider openai, 2026-10-01 to 2026-10-03 (UTC)",
        "softix 0.75 USD, bill 0.760001 USD",
    ]
    assert "  outside softix: 0.010001 USD" in lines
    assert "in the bill only: gpt-4o-mini-2024-07-18" in lines
    assert "2026-10-03\tgpt-4o-2024-08-06\t0.00\t0.01\t0.01\toutside softix" in lines
    assert "Within the tolerance." in shown.stderr


def test_reconcile_with_difference_beyond_the_tolerance_exits_with_code_1(run: Softix) -> None:
    shown = run(f"reconcile --provider openai --file {GOLDEN}/openai_costs.json", code=1)
    assert shown.stdout.startswith("matched 98.68 %, difference 0.010001 USD\n")
    assert "Beyond the tolerance of 0.50 %." in shown.stderr


def test_reconcile_with_json_returns_every_amount_as_text(run: Softix) -> None:
    shown = run(f"reconcile --provider openai --file {GOLDEN}/openai_costs.csv --json", code=0)
    told = json.loads(shown.stdout)
    rows = told.pop("rows")
    assert told == {
        "ok": True,
        "matched_percent": "99.99",
        "difference": "0.000001",
        "measure": "usd",
        "currency": "USD",
        "tolerance_percent": "0.50",
        "provider": "openai",
        "from": "2026-10-01",
        "to": "2026-10-04",
        "softix": "0.75",
        "bill": "0.750001",
        "causes": [{"cause": "outside softix", "amount": "0.000001", "requests": 0}],
        "unknown_models": ["gpt-4o-mini-2024-07-18"],
        "missing_models": [],
        "rows_outside_period": 0,
        "rows_left_out": 1,
        "format": "OpenAI's costs",
    }
    assert rows[0] == {
        "day": "2026-10-01",
        "model": "gpt-4o-2024-08-06",
        "softix": "0.75",
        "bill": "0.75",
        "difference": "0.00",
        "requests": 1,
        "softix_tokens": 1500,
        "bill_tokens": None,
        "causes": [],
    }


def test_reconcile_with_a_bill_of_tokens_compares_token_counts(read: Read, run: Softix) -> None:
    told = read(f"reconcile --provider openai --file {GOLDEN}/openai_usage.json --tolerance 0%")
    assert (told["softix"], told["bill"], told["matched_percent"], told["currency"]) == (1500, 1500, "100.00", None)
    shown = run(f"reconcile --provider openai --file {GOLDEN}/openai_usage.csv")
    assert shown.stdout.startswith("matched 100.00 %, difference 0 tokens\n")


def test_reconcile_with_a_mapping_file_reads_the_mapped_columns(read: Read) -> None:
    line = f"reconcile --provider openai --file {GOLDEN}/mapped.csv --mapping {GOLDEN}/mapped.toml --tolerance 90%"
    told = read(line)
    assert (told["bill"], told["difference"], told["rows_left_out"]) == ("0.125", "-0.625", 1)
    assert [(row["model"], row["bill_tokens"]) for row in told["rows"]] == [("gpt-4o", 1000)]


def test_reconcile_with_a_given_period_counts_the_rows_outside_it(read: Read) -> None:
    told = read(f"reconcile --provider openai --file {GOLDEN}/openai_costs.json --from 2026-10-01 --to 2026-10-02")
    assert (told["to"], told["rows_outside_period"]) == ("2026-10-02", 1)


def test_reconcile_with_many_unknown_models_shortens_the_list(tmp_path: Path, run: Softix) -> None:
    rows = "".join(f"2026-10-01,model {chr(97 + number)},,,,,,1,,,,\n" for number in range(12))
    header = (GOLDEN / "anthropic_costs.csv").read_text().splitlines()[0]
    bill = tmp_path / "bill.csv"
    bill.write_text(f"{header}\n{rows}")
    shown = run(f"reconcile --provider openai --file {bill}", code=1)
    assert "model j and 2 more (--json lists all)" in shown.stdout


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("--provider none --file {golden}/openai_costs.json", 1, "no provider 'none'"),
        ("--provider openai --file {golden}/none.json", 1, "cannot read"),
        ("--provider openai --file {golden}", 1, "cannot read"),
        ("--provider openai --file {golden}/README.md", 2, "README.md: no bill that softix knows"),
        ("--provider openai --file {golden}/openai_costs.json --tolerance much", 2, "not a tolerance: 'much'"),
        ("--provider openai --file {golden}/openai_costs.json --mapping {golden}/README.md", 2, "README.md: not TOML"),
        ("--provider openai --file {golden}/openai_costs.json --format azure", 2, "not the format azure"),
        ("--provider openai --file {golden}/openai_costs.json --format mapping", 2, "needs the columns"),
        ("--provider openai --file {golden}/openai_costs.json --from tomorrow", 2, "not a date"),
    ],
)
def test_reconcile_with_bad_input_prints_one_line_and_a_remedy(run: Softix, line: str, code: int, told: str) -> None:
    shown = run("reconcile " + line.format(golden=GOLDEN), code=code)
    assert told in shown.stderr.splitlines()[0]
    assert shown.stdout == ""
    assert len(shown.stderr.splitlines()) == 2


def test_percent_with_more_than_two_decimals_is_truncated() -> None:
    assert [percent(Fraction(part, 100_000)) for part in (99_999, 100_000, 0, 500)] == [
        "99.99",
        "100.00",
        "0.00",
        "0.50",
    ]
