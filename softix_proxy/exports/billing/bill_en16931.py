"""Writes a document as EN 16931 in its two syntaxes: UN/CEFACT CII (which Factur-X also embeds) and UBL 2.1.

Every figure is passed as decimal text, because the library turns numbers into floats, and a million into 1e+06.
"""

from __future__ import annotations

import logging
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from softix_proxy.domain.billing.bill import Document, DocumentKind, DocumentLine, DocumentTax, Party
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.errors import BadInputError, FailureError

Syntax = Literal["factur-x", "ubl-2.1"]
_TYPE_CODES = {DocumentKind.INVOICE: "380", DocumentKind.CREDIT_NOTE: "381", DocumentKind.RECEIPT: "386"}
"""The document types of code list UNTDID 1001. A receipt is an invoice for a payment in advance."""
_CREDIT_TRANSFER, _ELSEWHERE = "30", "1"
"""The payment means of code list UNTDID 4461."""


def render(document: Document, syntax: Syntax = "factur-x") -> bytes:
    """Returns the document as XML that is valid by its XSD.

    Raises FailureError if it is not valid. Raises BadInputError for a document that is not an invoice.
    """
    if document.tax is None:
        raise BadInputError(
            f"{document.number} is a {document.kind.value} without tax, and no invoice",
            "render it as html, pdf or json",
        )
    generate = _library()
    try:
        made: bytes = generate(_fields(document, document.tax), flavor=syntax, level="en16931", check_schematron=None)
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise FailureError(
            f"{document.number} makes no valid XML: {type(error).__name__}", "compare: softix bill show NUMBER"
        ) from None
    return made


def _library() -> Any:
    try:
        from facturx import generate_xml
    except ImportError:
        raise FailureError("XML and PDF need further packages", "pip install 'softix-proxy[invoice]'") from None
    logging.getLogger("factur-x").setLevel(logging.CRITICAL)  # at an error the library logs the whole document
    return generate_xml


def _fields(document: Document, tax: DocumentTax) -> dict[str, Any]:
    """Returns the fields by the terms of the standard."""
    totals = document.totals
    return _known(
        {
            "BT-1": document.number,
            "BT-2": document.issued_on,
            "BT-3": _TYPE_CODES[document.kind],
            "BT-5": document.currency,
            "BT-9": document.due_on,
            "BT-10": document.buyer.reference,
            "BT-20": "" if document.due_on or not totals.due else "To be set off against what is owed",
            "BT-72": document.last_day or document.issued_on,
            "BT-73": document.first_day,
            "BT-74": document.last_day,
            "BT-106": _text(totals.net),
            "BT-109": _text(totals.net),
            "BT-110": _text(totals.tax),
            "BT-112": _text(totals.gross),
            "BT-113": _text(totals.paid) if totals.paid else "",
            "BT-115": _text(totals.due),
            "BG-1": [{"BT-22": note} for note in document.notes],
            "BG-3": [{"BT-25": about.number, "BT-26": about.issued_on} for about in document.about],
            "BG-4": _party(document.seller, tax.category, selling=True),
            "BG-7": _party(document.buyer, tax.category, selling=False),
            "BG-23": [
                _known(
                    {
                        "BT-116": _text(tax.basis),
                        "BT-117": _text(tax.amount),
                        "BT-118": tax.category.value,
                        "BT-119": _rate(tax.category, tax.rate),
                        "BT-120": tax.reason,
                        "BT-121": tax.reason_code,
                    }
                )
            ],
            "BG-25": [
                _line(number, line, tax.category, tax.rate) for number, line in enumerate(document.lines, start=1)
            ],
            **_payment(document),
        }
    )


def _line(number: int, line: DocumentLine, category: Category, rate: Decimal) -> dict[str, Any]:
    markup = f", mark-up {line.markup}" if line.markup else ""
    described = f"List price {_text(line.unit_price)} per {line.per}{markup}" if line.unit_price is not None else ""
    return _known(
        {
            "BT-126": str(number),
            "BT-129": str(line.quantity),
            "BT-130": line.unit,
            "BT-131": _text(line.net),
            "BT-146": _text(line.price),
            "BT-149": str(line.per),
            "BT-151": category.value,
            "BT-152": _rate(category, rate),
            "BT-153": line.description,
            "BT-154": described,
        }
    )


def _party(party: Party, category: Category, *, selling: bool) -> dict[str, Any]:
    address = (*party.address, "", "", "")
    fields = {
        "name": party.name,
        "addr_l1": address[0],
        "addr_l2": address[1],
        "addr_l3": ", ".join(line for line in address[2:] if line),
        "postcode": party.postcode,
        "city": party.city,
        "country_code": party.country,
        # A document outside the scope of the tax names no VAT id (BR-O-2).
        "vat_identifier": "" if category is Category.OUTSIDE else party.vat_id,
        "legal_identifier": party.registration_id,
    }
    if selling:
        fields["tax_identifier"] = party.tax_id
        identifier = party.registration_id or party.tax_id or party.vat_id
        return _known({**fields, "identifiers": {None: identifier} if identifier else {}, **_contact(party)})
    return _known(fields)


def _contact(party: Party) -> dict[str, Any]:
    return {"contacts": [{"name": party.name, "email": party.email}]} if party.email else {}


def _payment(document: Document) -> dict[str, str]:
    if document.kind is DocumentKind.INVOICE and document.payment:
        return {"BT-81": _CREDIT_TRANSFER, "BT-83": document.number, "BT-84": document.payment}
    return {"BT-81": _ELSEWHERE}


def _rate(category: Category, rate: Decimal) -> str:
    return "" if category is Category.OUTSIDE else f"{rate:f}"


def _text(number: Decimal) -> str:
    return f"{number:f}"


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if isinstance(value, date) or value}
