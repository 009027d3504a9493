"""Rows of invoices and statements."""
