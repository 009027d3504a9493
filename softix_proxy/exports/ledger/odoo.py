"""Writes journals for Odoo: Accounting → Journal entries → Import records.

The field names are those of the model account.move and its line_ids, as Odoo's import accepts them (documentation,
"Export and import data"). The lines of an entry follow its first line, and only that one has the entry's own fields.
`id` is an external id. With it a second import changes the entry instead of adding one. Accounts are codes, and dates
are YYYY-MM-DD.
"""

from __future__ import annotations

from softix_proxy.exports.ledger.journal_table import JournalColumn, JournalLayout, form

FORM = form(
    JournalLayout(
        (
            JournalColumn("id", lambda line: f"softix_{line.entry.replace('-', '_')}" if line.first else ""),
            JournalColumn("date", lambda line: line.day.isoformat() if line.first else ""),
            JournalColumn("ref", lambda line: line.entry if line.first else ""),
            JournalColumn("journal_id", lambda line: line.chart["journal"] if line.first else ""),
            JournalColumn("line_ids/account_id", lambda line: line.account),
            JournalColumn("line_ids/partner_id", lambda line: line.party, free=True),
            JournalColumn("line_ids/name", lambda line: line.what, free=True),
            JournalColumn("line_ids/debit", lambda line: line.debit or "0.00"),
            JournalColumn("line_ids/credit", lambda line: line.credit or "0.00"),
        ),
        {
            "cash": "101401",
            "wallets": "251000",
            "revenue": "400000",
            "adjustments": "400900",
            "costs": "600000",
            "payables": "252000",
            "fees": "620000",
            "bank": "101402",
            "journal": "Miscellaneous Operations",
        },
        "400010",
    )
)
