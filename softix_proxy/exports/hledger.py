"""hledger: strict (`check -s`) and exact; made so that `hledger import` takes it.

hledger skips what is dated before its last import, so entries are dated by posting, which only goes forward.
Syntax: https://hledger.org/hledger.html#journal
"""

from __future__ import annotations

from softix_proxy.exports.plain_text import LedgerSyntax, form

FORM = form(LedgerSyntax("commodity 1000.000000000000 USD\n"))
