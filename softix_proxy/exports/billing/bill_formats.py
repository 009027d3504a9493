"""The formats of a document, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softix_proxy.domain.billing.bill import Document
from softix_proxy.exports.billing import bill_en16931, bill_html, bill_json, bill_pdf
from softix_proxy.exports.billing.bill_pdf import Fonts

FORMATS: Mapping[str, Callable[[Document, Fonts | None], bytes]] = {
    "html": lambda document, fonts: bill_html.render(document),
    "pdf": bill_pdf.render,
    "xml": lambda document, fonts: bill_en16931.render(document, "factur-x"),
    "ubl": lambda document, fonts: bill_en16931.render(document, "ubl-2.1"),
    "json": lambda document, fonts: bill_json.render(document),
}
MEDIA_TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xml": "application/xml",
    "ubl": "application/xml",
    "json": "application/json",
}
