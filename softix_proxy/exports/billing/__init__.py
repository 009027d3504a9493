"""Invoices and statements as text, HTML, JSON, PDF and EN 16931."""
