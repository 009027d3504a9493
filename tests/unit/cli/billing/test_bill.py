from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.exports.billing.bill_pdf import shipped_fonts
from softix_proxy.storage.sqlite.core import engine

Softix = Callable[..., Result]
Read = Callable[[str], Any]
CONFIG = """
[billing]
seller_name = "Example GmbH"
seller_country = "DE"
seller_vat_id = "DE123456789"
tax_category = "S"
tax_rate = "19"
"""
OCTOBER_US = 1_760_000_000_000_000
"""2025-10-09."""
SUMMARY = {
    "number", "kind", "user_id", "user_name", "period", "issued_on", "net", "tax", "total", "due", "currency",
}  # fmt: skip


@pytest.fixture(autouse=True)
def used(instance: Path, read: Read) -> None:
    """Ada, who pays afterwards, used something in October."""
    (instance / "config.toml").write_text(CONFIG)
    read("users create ada --email ada@example.org --postpaid")
    connection = engine.connect(instance / "softix.db")
    connection.execute(
        """INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us)
             VALUES (1, 'key_ada', 1, 'ci', 'sx_live_aaaa', x'01', 1);
           INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us)
             VALUES (1, 'prv_lab', 'lab', 'demo', '', 'cancel', 1);
           INSERT INTO models (id, name, provider_id, upstream_name, created_at_us)
             VALUES (1, 'llama', 1, 'llama', 1);"""
    )
    post(connection, [make_settlement(make_intent(1, 0, postpaid=True), charge_pico=12_345 * 10**9)], OCTOBER_US)
    connection.close()


def test_bill_commands_from_run_to_credit_return_the_issued_invoice(run: Softix, read: Read, tmp_path: Path) -> None:
    assert "softix bill customer ada --country" in run("bill run --period 2025-10 --open", code=1).stderr
    changed = read(
        "bill customer ada --name 'Ada Ltd' --address 'Main 1' --address 'Top' --country de --vat-id 'de 12 34'"
    )
    assert (changed["name"], changed["address"], changed["country"], changed["vat_id"]) == (
        "Ada Ltd", ["Main 1", "Top"], "DE", "DE1234",
    )  # fmt: skip
    assert read("bill customer ada") == changed
    [planned] = read("bill run --period 2025-10 --open --dry-run")
    assert (planned["state"], planned["number"], planned["net"], planned["total"]) == (
        "planned",
        None,
        "12.34",
        "14.68",
    )
    assert planned.keys() >= SUMMARY | {"state", "problem", "remedy"}
    [issued] = read("bill run --period 2025-10 --open --user ada")
    assert read("bill run --period 2025-10 --open") == [{**issued, "state": "kept"}]
    [listed] = read("bill list --user ada --kind invoice --period 2025-10")
    assert listed.keys() == SUMMARY and listed["number"] == issued["number"]
    number = listed["number"]
    whole = read(f"bill show {number}")
    assert whole["buyer"]["name"] == "Ada Ltd" and whole["ledger"]["charged"] == "12.345"
    assert "Total USD  14.68" in run(f"bill show {number}").stdout
    for form in ("html", "pdf", "xml", "ubl", "json"):
        told = read(f"bill render {number} --format {form} --out {tmp_path / form}")
        assert told["bytes"] == (tmp_path / form).stat().st_size > 0
    assert json.loads((tmp_path / "json").read_text()) == whole
    assert "exists" in run(f"bill render {number} --out {tmp_path / 'html'}", code=1).stderr
    run(f"bill render {number} --out {tmp_path / 'html'} --force")
    assert run(f"bill render {number}").stdout.startswith("<!doctype html>")
    credit = read(f"bill credit {number} --note 'wrong address' --yes")
    assert (credit["kind"], credit["total"]) == ("credit-note", "14.68")
    assert [one["kind"] for one in read("bill list")] == ["invoice", "credit-note"]
    assert [one["state"] for one in read("bill run --period 2025-10 --open")] == ["issued"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("run --period 2025-10", 1, "is not closed"),
        ("run --period nonsense", 2, "not a period"),
        ("run --period 2999-01 --open", 1, "is not over"),
        ("run --period 2025-10 --open --user eve", 1, "softix users list"),
        ("show X-1", 1, "softix bill list"),
        ("render X-1", 1, "softix bill list"),
        ("credit X-1 --note no --yes", 1, "softix bill list"),
        ("customer eve", 1, "softix users list"),
        ("customer ada --country Germany", 2, "two letters"),
        ("customer ada --tax-category X", 2, "reverse charge"),
        ("customer ada --name none", 2, "has a name"),
        ("list --kind nonsense", 2, "--kind"),
    ],
)
def test_bill_command_with_bad_input_issues_nothing(run: Softix, read: Read, line: str, code: int, said: str) -> None:
    assert said in run(f"bill {line}", code=code).stderr
    assert read("bill list") == []


def test_bill_run_without_usage_reports_that_nothing_is_billed(run: Softix) -> None:
    assert "Nothing to bill." in run("bill run --period 2025-09 --open").stderr


def test_bill_credit_without_yes_is_refused(run: Softix, read: Read) -> None:
    run("bill customer ada --country DE")
    run("bill run --period 2025-10 --open")
    [listed] = read("bill list")
    assert "Add --yes" in run(f"bill credit {listed['number']} --note n", code=2).stderr
    assert read("bill list") == [listed]


def test_bill_render_with_characters_missing_in_the_font_is_refused(
    run: Softix, read: Read, instance: Path, tmp_path: Path
) -> None:
    read("bill customer ada --country CN --name 張偉")
    [issued] = read("bill run --period 2025-10 --open")
    out = tmp_path / "bill.pdf"
    assert "billing.pdf_font" in run(f"bill render {issued['number']} --format pdf --out {out}", code=2).stderr
    assert not out.exists()
    (instance / "config.toml").write_text(CONFIG + f'pdf_font = "{shipped_fonts().bold}"\n')
    assert "no '偉'" in run(f"bill render {issued['number']} --format pdf --out {out}", code=2).stderr
