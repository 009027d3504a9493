from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def lab(run: Softix) -> None:
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add llama --provider lab --input 2.00 --output 8.00")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "prices.csv"
    file.write_text("model,input,output\nllama,1.50,8.00\n")
    return file


CHANGE = {
    "price": "input",
    "service_tier": "standard",
    "above_input_tokens": 0,
    "old": "2.00",
    "new": "1.50",
    "change": "-25.0%",
}


def test_imported_prices_after_approval_are_in_force(run: Softix, read: Read, prices: Path) -> None:
    [proposed] = read(f"prices import {prices}")["proposed"]
    assert (proposed["model"], proposed["source"], proposed["changes"]) == ("llama", "operator", [CHANGE])
    assert read("prices diff") == [proposed]
    lines = run("prices diff").stdout.splitlines()
    assert lines[1].split("\t") == ["lab/llama", "-", "operator", "standard", "-", "input", "2.00", "1.50", "-25.0%"]
    assert read("prices show llama")["prices"]["input"] == "2.00"
    assert read("prices approve llama") == [proposed]
    assert read("prices show llama")["prices"]["input"] == "1.50"
    assert read("prices diff") == []


def test_prices_import_with_approve_puts_the_prices_in_force(run: Softix, read: Read, prices: Path) -> None:
    run(f"prices import {prices} --approve")
    assert read("prices show llama")["prices"] == {"input": "1.50", "output": "8.00"}


def test_prices_import_with_current_catalogue_proposes_nothing(
    run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-of-a-test")
    run("providers add openai --type openai --key-env A_KEY")
    told = read("prices import --catalog")
    assert told["proposed"] == [] and told["unchanged"] > 50


def test_price_proposal_command_with_dry_run_reports_what_would_be_done(run: Softix, read: Read, prices: Path) -> None:
    assert "Would be approved: 1." in run(f"prices import {prices} --approve --dry-run").stderr
    assert "Would be proposed: 1." in run(f"prices import {prices} --dry-run").stderr
    run(f"prices import {prices}")
    for line, word in (("prices approve --all", "approved"), ("prices reject --all", "dropped")):
        told = run(f"{line} --dry-run").stderr
        assert f"Would be {word}: 1." in told and "Nothing was changed" in told
    assert len(read("prices diff")) == 1
    assert "Approved: 1." in run("prices approve --all").stderr


def test_prices_diff_marks_removed_and_new_prices(run: Softix, read: Read, prices: Path) -> None:
    run("prices set llama --cached-input 0.20")
    prices.write_text("model,input,output,web_search\nllama,2.00,8.00,10\n")
    run(f"prices import {prices}")
    lines = {row[5]: row[6:] for row in (line.split("\t") for line in run("prices diff").stdout.splitlines()[1:])}
    assert lines == {"cached_input": ["0.20", "-", "taken away"], "web_search": ["-", "10", "new"]}
    assert {change["change"] for change in read("prices diff")[0]["changes"]} == {None}


def test_prices_reject_without_yes_is_refused(run: Softix, read: Read, prices: Path) -> None:
    run(f"prices import {prices}")
    assert "--yes" in run("prices reject --all", code=2).stderr
    run("prices reject --all --yes")
    assert read("prices diff") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("prices import", "which prices?"),
        ("prices import none.csv", "cannot read none.csv"),
        ("prices approve", "which prices?"),
        ("prices approve llama --all", "which prices?"),
    ],
)
def test_price_proposal_command_with_bad_arguments_exits_with_code_2(run: Softix, line: str, told: str) -> None:
    assert told in run(line, code=2).stderr


def test_prices_import_with_an_unknown_model_proposes_nothing(run: Softix, read: Read, prices: Path) -> None:
    prices.write_text("model,input\nllama,1.50\nnone,1\n")
    assert "line 3: no model 'none'" in run(f"prices import {prices}", code=2).stderr
    assert read("prices diff") == []
