from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.posted import BOB, CENT, MONTH, added_up, paid, rows, written

from softix_proxy.exports.ledger.cents import to_cents
from softix_proxy.exports.ledger.xero import COLUMNS, FORM, LINES_A_FILE

GOLDEN = Path(__file__).parents[3] / "golden" / "exports"


def test_xero_export_of_a_month_matches_the_golden_file() -> None:
    [text] = written(FORM, MONTH).values()
    assert text == (GOLDEN / "xero.csv").read_bytes().decode()


def test_xero_export_of_many_invoices_splits_files_between_invoices() -> None:
    users = [(f"usr_{number:03d}", f"user {number}") for number in range(400)]
    postings = [
        added_up(user, wallet_pico=-CENT * (1 + number), model=model)
        for number, user in enumerate(users)
        for model in ("a", "b", "c")
    ]
    files = written(FORM, postings)
    assert list(files) == ["out_001.csv", "out_002.csv", "out_003.csv"]
    seen: set[str] = set()
    for text in files.values():
        lines = rows(text)
        assert len(lines) <= LINES_A_FILE and list(lines[0]) == list(COLUMNS)
        numbers = {line["*InvoiceNumber"] for line in lines}
        assert not numbers & seen
        seen |= numbers
    assert len(seen) == 400


def test_xero_invoice_longer_than_a_file_is_split() -> None:
    files = written(FORM, [added_up(wallet_pico=-CENT, model=f"m{number:04d}") for number in range(1100)])
    numbers = [sorted({line["*InvoiceNumber"] for line in rows(text)}) for text in files.values()]
    assert numbers == [["SX-20261031-usr_ada"], ["SX-20261031-usr_ada-2"], ["SX-20261031-usr_ada-3"]]
    assert [len(rows(text)) for text in files.values()] == [500, 500, 100]


def test_xero_export_with_only_payments_has_no_lines() -> None:
    assert rows(written(FORM, [paid(), paid(BOB)])["out_001.csv"]) == []


@settings(deadline=None)
@given(st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=30), st.lists(st.integers(-(10**13), 10**13)))
def test_xero_lines_add_up_to_the_rounded_total_of_the_customer(used: list[int], before: list[int]) -> None:
    postings = [added_up(wallet_pico=-pico, model=f"m{number}") for number, pico in enumerate(used)]
    known = [paid(), *(added_up(wallet_pico=-pico) for pico in before)]
    shown = [line["*UnitAmount"] for text in written(FORM, postings, known=known).values() for line in rows(text)]
    assert sum(int(Decimal(amount) * 100) for amount in shown) == to_cents(sum(before) + sum(used)) - to_cents(
        sum(before)
    )
