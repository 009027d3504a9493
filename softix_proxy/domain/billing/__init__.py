"""Invoices, statements, receipts, the seller and taxes."""
