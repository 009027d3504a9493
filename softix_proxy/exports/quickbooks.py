"""QuickBooks Online: Import data → Journal entries.

Columns and their meaning: Intuit, "Import journal entries in QuickBooks Online"
(quickbooks.intuit.com/learn-support, article L4tQBwbs7): Journal No., Journal Date, Account Name, Debits, Credits,
Description, Name; dates as MM/DD/YYYY, accounts by name (account numbers must be off), subaccounts as Parent:Child.
"""

from __future__ import annotations

from softix_proxy.domain.usage import CURRENCY
from softix_proxy.exports.journal_table import Column, Table, form

FORM = form(
    Table(
        (
            Column("Journal No.", lambda line: line.entry),
            Column("Journal Date", lambda line: f"{line.day:%m/%d/%Y}"),
            Column("Account Name", lambda line: line.account),
            Column("Debits", lambda line: line.debit),
            Column("Credits", lambda line: line.credit),
            Column("Description", lambda line: line.what, free=True),
            Column("Name", lambda line: line.party, free=True),
            Column("Currency", lambda line: CURRENCY),
        ),
        {
            "cash": "Checking",
            "wallets": "Customer Prepayments",
            "revenue": "AI Usage Revenue",
            "adjustments": "Customer Adjustments",
            "costs": "AI Provider Costs",
            "payables": "Accrued AI Provider Costs",
        },
        "Sales:AI Usage",
    )
)
