"""The invoices, statements and receipts, the seller, and taxes."""
