"""Writes journals for Sage 50 Accounts (UK, Ireland): File → Import → Audit trail transactions.

Lines are journal debits and credits (JD, JC). The columns are in the order of Sage's own import template ("Audit trail
transactions", gb-kb.sage.com 200427112357427, and the Data Import guide). Dates are DD/MM/YYYY, amounts have no sign,
and accounts are nominal codes. References have at most 30 characters, and details at most 60. Journals carry no tax:
T9.
"""

from __future__ import annotations

from softix_proxy.domain.core.money import format_cents
from softix_proxy.exports.ledger.journal_table import JournalColumn, JournalLayout, form

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
            "fees": "7901",
            "bank": "1210",
        },
        "4010",
    )
)
