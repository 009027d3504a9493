"""The commands for invoices, statements and receipts."""
