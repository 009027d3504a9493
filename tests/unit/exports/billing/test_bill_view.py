from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support.billing import document

from softix_proxy.domain.billing.bill import DocumentKind
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.exports.billing.bill_view import COLUMNS, Pair, amount, day, view


@pytest.mark.parametrize(
    ("number", "text"),
    [("0", "0.00"), ("-1234.5", "−1,234.50"), ("1000000.000000000001", "1,000,000.000000000001")],
)
def test_amount_with_many_decimals_keeps_every_one(number: str, text: str) -> None:
    assert amount(Decimal(number)) == text


def test_bill_view_of_an_invoice_contains_its_texts_and_totals() -> None:
    page = view(document())
    assert (page.title, page.number, page.seller[0]) == ("Invoice", "INV-2026-00001", "Example GmbH")
    assert page.buyer[-2:] == ("GB", "VAT id ATU12345678")
    assert (
        Pair("Period", "1 October 2026 – 31 October 2026") in page.facts
        and Pair("Your reference", "PO-77") in page.facts
    )
    assert page.rows[0] == ("lab/mini: input tokens", "1,345,678", "2.50 / 1M", "7.5%", "3.62")
    assert all(len(row) == len(COLUMNS) for row in page.rows)
    assert [pair.label for pair in page.totals] == ["Net", "Tax 19 %", "Total USD", "To pay"]
    assert page.notes == ("Please pay 50.40 USD by 1 December 2026 to DE02120300000000202051, quoting INV-2026-00001.",)
    assert [pair.label for pair in page.ledger] == [
        "Charged", "Carried from earlier documents", "Carried to the next document",
    ]  # fmt: skip
    assert "VAT id DE123456789" in page.footer and "billing@example.org" in page.footer


def test_bill_view_of_other_kinds_contains_their_own_lines() -> None:
    statement = view(document(DocumentKind.STATEMENT))
    assert [pair.label for pair in statement.account] == [
        "Balance before",
        "Paid in",
        "Adjusted",
        "Used",
        "Balance after",
    ]
    assert statement.totals[-1] == Pair("To pay", "0.00", strong=True) and "no invoice" in statement.notes[0]
    credit = view(document(DocumentKind.CREDIT_NOTE))
    assert Pair("Corrects", "INV-2026-00000 of 1 October 2026") in credit.facts
    assert credit.totals[-1].label == "Credited"
    receipt = view(replace(document(DocumentKind.RECEIPT), ledger=None, first_day=None, payment="Paid on 2026-10-02"))
    assert receipt.ledger == () and "Paid on 2026-10-02." in receipt.notes


def test_bill_view_with_reverse_charge_states_the_reason() -> None:
    page = view(document(category=Category.REVERSE_CHARGE))
    assert page.totals[1].label == "Tax (reverse charge)" and page.notes[0].startswith("Reverse charge: ")


def test_day_of_a_date_is_written_in_words() -> None:
    assert day(date(2026, 3, 9)) == "9 March 2026"
