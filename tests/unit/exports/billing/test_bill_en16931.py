"""Against the schemas and the schematron of EN 16931, which need no network."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from lxml import etree
from support.billing import BUYER, broken_rules, document

from softix_proxy.domain.billing.bill import DocumentKind, Party
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.exports.billing.bill_en16931 import Syntax, render

SALES = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.RECEIPT)


@pytest.mark.parametrize("syntax", ["factur-x", "ubl-2.1"])
@pytest.mark.parametrize("kind", SALES)
def test_electronic_invoice_of_each_tax_category_is_valid(kind: DocumentKind, syntax: Syntax) -> None:
    for category in Category:
        assert broken_rules(render(document(kind, category), syntax), syntax) == [], category


def test_validation_rules_with_a_wrong_invoice_report_the_broken_rule() -> None:
    xml = render(document(category=Category.REVERSE_CHARGE))
    for wrong, rule in (
        (xml.replace(b"ATU12345678", b""), "BR-CO-09"),
        (re.sub(rb"<ram:ExemptionReason(Code)?>[^<]*</ram:ExemptionReason(Code)?>", b"", xml), "BR-AE-10"),
        (xml.replace(b"<ram:GrandTotalAmount>", b"<ram:GrandTotalAmount>1"), "BR-CO-15"),
    ):
        assert any(rule in text for text in broken_rules(wrong))


def values(xml: bytes, name: str) -> list[str]:
    return [str(node.text) for node in etree.fromstring(xml).iter("{*}" + name)]


def test_electronic_invoice_figures_are_those_of_the_document_as_plain_decimals() -> None:
    made = document()
    xml = render(made)
    assert values(xml, "LineTotalAmount") == [*(str(line.net) for line in made.lines), str(made.totals.net)]
    assert values(xml, "BasisQuantity") == ["1000000"] * 5 + ["1"]
    assert values(xml, "BilledQuantity")[0] == "1345678" and values(xml, "ChargeAmount")[0] == "2.6875"
    assert values(xml, "DuePayableAmount") == ["50.40"] and values(xml, "IBANID") == ["DE02120300000000202051"]
    assert not re.search(rb">-?\d[\d.]*e", xml)


def test_electronic_invoice_of_each_kind_has_its_type_code() -> None:
    assert [values(render(document(kind)), "TypeCode")[0] for kind in SALES] == ["380", "381", "386"]
    assert values(render(document(DocumentKind.CREDIT_NOTE)), "IssuerAssignedID") == ["INV-2026-00000"]


def test_electronic_invoice_outside_the_scope_of_tax_names_no_buyer_tax_number() -> None:
    assert b"ATU12345678" not in render(document(category=Category.OUTSIDE))


def test_electronic_invoice_with_a_rounding_line_is_valid() -> None:
    made = document()
    totals = replace(
        made.totals, net=Decimal("42.34"), tax=Decimal("8.04"), gross=Decimal("50.38"), due=Decimal("50.38")
    )
    rounding = replace(made.lines[-1], description="Rounding", net=Decimal("-0.01"), price=Decimal("0.01"))
    assert made.tax is not None
    tax = replace(made.tax, basis=totals.net, amount=totals.tax)
    assert broken_rules(render(replace(made, lines=(*made.lines, rounding), totals=totals, tax=tax))) == []


def test_electronic_invoice_with_markup_in_a_name_keeps_it_as_text() -> None:
    made = render(document(buyer=replace(BUYER, name="A & B <Ltd>")))
    assert "A & B <Ltd>" in values(made, "Name")


def test_electronic_invoice_of_an_unsuitable_document_is_refused() -> None:
    with pytest.raises(BadInputError, match="no invoice"):
        render(document(DocumentKind.STATEMENT))
    with pytest.raises(FailureError, match="no valid XML"):
        render(document(buyer=Party("No\x00body")))


def test_electronic_invoice_without_the_extra_raises_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facturx", None)
    with pytest.raises(FailureError) as caught:
        render(document())
    assert "softix-proxy[invoice]" in caught.value.remedy
