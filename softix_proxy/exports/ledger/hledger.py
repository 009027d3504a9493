"""Writes journals for hledger that are strict (`check -s`) and exact, and that `hledger import` accepts.

hledger skips entries that are dated before its last import. So entries are dated by posting, and that date only moves
forward. Syntax: https://hledger.org/hledger.html#journal
"""

from __future__ import annotations

from softix_proxy.exports.ledger.plain_text import LedgerSyntax, form

FORM = form(LedgerSyntax("commodity 1000.000000000000 USD\n"))
