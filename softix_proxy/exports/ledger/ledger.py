"""Writes journals for ledger. Every name in them is declared, so that `--pedantic` reports nothing.

Syntax: https://ledger-cli.org/doc/ledger3.html
"""

from __future__ import annotations

from softix_proxy.exports.ledger.plain_text import TAGS, LedgerSyntax, form

FORM = form(LedgerSyntax("commodity USD\n" + "".join(f"tag {name}\n" for name in TAGS)))
