"""Writes journals for QuickBooks Online: Import data → Journal entries.

The columns and their meaning are from Intuit, "Import journal entries in QuickBooks Online"
(quickbooks.intuit.com/learn-support, article L4tQBwbs7): Journal No., Journal Date, Account Name, Debits, Credits,
Description, Name. Dates are MM/DD/YYYY. Accounts are names (account numbers must be off), and subaccounts are
Parent:Child.
"""

from __future__ import annotations

from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.exports.ledger.journal_table import JournalColumn, JournalLayout, form

FORM = form(
    JournalLayout(
        (
            JournalColumn("Journal No.", lambda line: line.entry),
            JournalColumn("Journal Date", lambda line: f"{line.day:%m/%d/%Y}"),
            JournalColumn("Account Name", lambda line: line.account),
            JournalColumn("Debits", lambda line: line.debit),
            JournalColumn("Credits", lambda line: line.credit),
            JournalColumn("Description", lambda line: line.what, free=True),
            JournalColumn("Name", lambda line: line.party, free=True),
            JournalColumn("Currency", lambda line: CURRENCY),
        ),
        {
            "cash": "Checking",
            "wallets": "Customer Prepayments",
            "revenue": "AI Usage Revenue",
            "adjustments": "Customer Adjustments",
            "costs": "AI Provider Costs",
            "payables": "Accrued AI Provider Costs",
            "fees": "Payment Processing Fees",
            "bank": "Business Bank Account",
        },
        "Sales:AI Usage",
    )
)
