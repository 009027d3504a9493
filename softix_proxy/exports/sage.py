"""Sage 50 Accounts (UK, Ireland): File → Import → Audit trail transactions, as journal debits and credits (JD, JC).

Columns in the order of Sage's own import template ("Audit trail transactions", gb-kb.sage.com 200427112357427, and the
Data Import guide): dates as DD/MM/YYYY, amounts without a sign, nominal codes as accounts; references of at most 30
characters, details of at most 60. Journals carry no tax: T9.
"""

from __future__ import annotations

from softix_proxy.exports.cents import format_cents
from softix_proxy.exports.journal_table import JournalColumn, JournalLayout, form

FORM = form(
    JournalLayout(
        (
            JournalColumn("Type", lambda line: "JD" if line.leg.amount > 0 else "JC"),
            JournalColumn("Account Reference", lambda line: ""),
            JournalColumn("Nominal A/C Ref", lambda line: line.account),
            JournalColumn("Department Code", lambda line: "0"),
            JournalColumn("Date", lambda line: f"{line.day:%d/%m/%Y}"),
            JournalColumn("Reference", lambda line: line.entry),
            JournalColumn("Details", lambda line: line.what[:59], free=True),
            JournalColumn("Net Amount", lambda line: format_cents(abs(line.leg.amount))),
            JournalColumn("Tax Code", lambda line: "T9"),
            JournalColumn("Tax Amount", lambda line: "0.00"),
            JournalColumn("Exchange Rate", lambda line: "1"),
            JournalColumn("Extra Reference", lambda line: line.leg.party[0] if line.leg.party else ""),
        ),
        {
            "cash": "1200",
            "wallets": "2110",
            "revenue": "4000",
            "adjustments": "4009",
            "costs": "5000",
            "payables": "2109",
        },
        "4010",
    )
)
