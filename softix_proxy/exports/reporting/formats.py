"""The formats of the books, by name. The formats of usage alone are `csv`, `jsonl` and `parquet`."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.exports.ledger import beancount, focus, hledger, ledger, netsuite, odoo, quickbooks, sage, xero
from softix_proxy.exports.ledger.form import ExportFormat

FORMS: Mapping[str, ExportFormat] = {
    "focus": focus.FORM,
    "hledger": hledger.FORM,
    "ledger": ledger.FORM,
    "beancount": beancount.FORM,
    "quickbooks": quickbooks.FORM,
    "xero": xero.FORM,
    "sage": sage.FORM,
    "netsuite": netsuite.FORM,
    "odoo": odoo.FORM,
}
