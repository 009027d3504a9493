from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]
MODEL = "openai/gpt-5.5"
"""In the catalogue: input 5, cached 0.50, output 30; above 272,000 tokens 10, 1, 45; flex and batch half, priority."""


@pytest.fixture(autouse=True)
def furnish(run: Softix) -> None:
    run("users create ada --email ada@example.org")
    run("providers add openai --models gpt-5.5 --key-stdin", stdin="sk-of-a-lab")


def bands(read: Read) -> dict[tuple[str, int], dict[str, str]]:
    shown = read(f"prices show {MODEL}")
    return {(band["service_tier"], band["above_input_tokens"]): band["prices"] for band in shown["bands"]}


def test_prices_show_prints_a_line_for_each_tier_and_context_length(run: Softix, read: Read) -> None:
    lines = run(f"prices show {MODEL}").stdout.splitlines()
    shown = dict(line.split("  ", 1) for line in lines if "\t" not in line)
    table = [tuple(line.split("\t")[:2]) for line in lines if "\t" in line]
    assert "bands" not in shown and shown["charged"].strip().startswith("cached_input 0.5, input 5, output 30")
    assert table[0] == ("tier", "above")
    assert {(tier, int(above) if above != "-" else 0) for tier, above in table[1:]} == bands(read).keys()


def test_prices_set_with_some_prices_keeps_the_others(run: Softix, read: Read) -> None:
    """The very words of the row: the base is repeated, and nothing of the rest is gone."""
    before = bands(read)
    told = read(f"prices set {MODEL} --input 5 --output 30")
    assert bands(read) == before and told["changes"] == [] and told["warnings"] == []
    assert {(one["service_tier"], one["price"]) for one in told["kept"]} >= {
        ("standard", "cached_input"),
        ("flex", "input"),
        ("priority", "output"),
        ("batch", "web_search"),
    }
    told = read(f"prices set {MODEL} --input 4")
    assert [(one["price"], one["old"], one["new"], one["change"]) for one in told["changes"]] == [
        ("input", "5", "4", "-20.0%")
    ]
    assert bands(read) == {**before, ("standard", 0): {**before["standard", 0], "input": "4"}}


def test_prices_set_prints_a_table_of_old_new_and_kept_prices(run: Softix) -> None:
    shown = run(f"prices set {MODEL} --input 4").stdout
    rows = [line.split("\t") for line in shown.splitlines() if "\t" in line]
    assert rows[0] == ["tier", "above", "price", "old", "new", "change"]
    assert ["standard", "-", "input", "5", "4", "-20.0%"] in rows
    assert ["standard", "272000", "cached_input", "1", "1", "stays"] in rows


def test_prices_set_with_inconsistent_prices_prints_a_remedy_for_each_warning(run: Softix, read: Read) -> None:
    rehearsed = run(f"prices set {MODEL} --input 0.4 --dry-run").stderr
    assert "  → softix prices set openai/gpt-5.5 --cached-input 0.04" in rehearsed
    told = read(f"prices set {MODEL} --input 0.4")
    assert told["warnings"][0] == "cached_input stays at 0.5 and is now dearer than input, 0.4"
    assert len(told["warnings"]) == len(told["remedies"]) == 3, "flex and batch are dearer than standard as well"
    for remedy in told["remedies"]:
        run(remedy.removeprefix("softix "))
    now = bands(read)
    assert (now["standard", 0]["cached_input"], now["flex", 0]["input"]) == ("0.04", "0.2")


def test_prices_set_with_replace_keeps_no_other_price(read: Read) -> None:
    told = read(f"prices set {MODEL} --input 5 --output 30 --replace")
    assert told["bands"] == [
        {"above_input_tokens": 0, "service_tier": "standard", "prices": {"input": "5", "output": "30"}}
    ]
    assert {one["new"] for one in told["changes"]} == {None} and told["kept"][0]["price"] == "input"


def test_prices_set_for_a_user_begins_with_their_price_or_else_the_general_one(run: Softix, read: Read) -> None:
    run("prices markup --default 7.5%")
    first = read(f"prices set {MODEL} --input 4 --user ada")
    assert first["prices"]["cached_input"] == "0.5" and first["prices"]["input"] == "4"
    [remark] = first["remarks"]
    assert remark.startswith("A customer's own price has no mark-up (until now 7.5%)") and "what stays" in remark
    run(f"prices set {MODEL} --cached-input 0.2 --user ada")
    second = read(f"prices set {MODEL} --output 20 --user ada")
    assert (second["prices"]["input"], second["prices"]["cached_input"], second["remarks"]) == ("4", "0.2", [])
    assert bands(read)["standard", 0]["input"] == "5", "nobody else's changed"
    odd = read(f"prices set {MODEL} --input 0.1 --user ada")
    assert all(remedy.rsplit(" --user ", 1)[1].startswith("usr_") for remedy in odd["remedies"])
    run(odd["remedies"][0].removeprefix("softix "))


def test_prices_set_with_dry_run_shows_the_changes_and_stores_none(run: Softix, read: Read) -> None:
    history = read(f"prices history {MODEL}")
    dry = read(f"prices set {MODEL} --input 4 --dry-run")
    assert (dry["dry_run"], dry["version"], dry["changes"][0]["new"]) == (True, None, "4")
    assert "Nothing was changed" in run(f"prices set {MODEL} --input 4 --dry-run").stderr
    assert read(f"prices history {MODEL}") == history


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--free --tier flex", "free as a whole"),
        ("--replace --tier flex --input 1", "begins with the standard tier"),
        ("--tier 'a b' --input 1", "not a service tier"),
        ("--tier own --above 1000 --input 1", "no price from zero tokens on"),
    ],
)
def test_prices_set_with_bad_tier_options_exits_with_the_reason(run: Softix, line: str, said: str) -> None:
    assert said in run(f"prices set {MODEL} {line}", code=2).stderr


def test_prices_set_for_a_free_model_remarks_that_it_was_free(run: Softix, read: Read) -> None:
    run(f"prices set {MODEL} --free")
    assert read(f"prices set {MODEL} --input 1 --output 2")["remarks"] == ["It was free until now."]
