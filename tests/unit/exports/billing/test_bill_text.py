from support.billing import document

from softix_proxy.domain.billing.bill import DocumentKind
from softix_proxy.exports.billing.bill_text import render


def test_bill_text_of_an_invoice_aligns_its_amounts() -> None:
    text = render(document())
    assert text.startswith("Invoice INV-2026-00001\n\nFrom  ")
    widths = {len(line) for line in text.splitlines() if line.endswith(("3.62", "33.18", "Amount"))}
    assert len(widths) == 1, "figures stand under each other"
    assert "Against the ledger" in text
    assert "Balance after    35.372876543211" in render(document(DocumentKind.STATEMENT))
