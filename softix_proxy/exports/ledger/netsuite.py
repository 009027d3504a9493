"""Writes journals for NetSuite: Setup → Import/Export → Import CSV records, type Transactions, Journal entry.

The fields are from Oracle's help, "Journal Entry and Intercompany Journal Entry Header Fields Table"
(section_1534492479) and "… Line-Level Fields Table" (section_1534492737). Lines with one External ID are one entry,
whose debits and credits must balance, with two decimals. The External ID keeps a second import from doubling the first.
Dates are MM/DD/YYYY.
"""

from __future__ import annotations

from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.exports.ledger.journal_table import JournalColumn, JournalLayout, form

FORM = form(
    JournalLayout(
        (
            JournalColumn("External ID", lambda line: line.entry),
            JournalColumn("Date", lambda line: f"{line.day:%m/%d/%Y}"),
            JournalColumn("Currency", lambda line: CURRENCY),
            JournalColumn("Memo", lambda line: line.what, free=True),
            JournalColumn("Account", lambda line: line.account),
            JournalColumn("Debit", lambda line: line.debit),
            JournalColumn("Credit", lambda line: line.credit),
            JournalColumn("Line Memo", lambda line: line.what, free=True),
            JournalColumn("Name", lambda line: line.party, free=True),
        ),
        {
            "cash": "1000 Checking",
            "wallets": "2300 Customer Deposits",
            "revenue": "4000 AI Usage Revenue",
            "adjustments": "4900 Customer Adjustments",
            "costs": "5000 AI Provider Costs",
            "payables": "2100 Accrued Expenses",
            "fees": "6100 Payment Processing Fees",
            "bank": "1010 Bank",
        },
        "4010 AI Usage",
    )
)
