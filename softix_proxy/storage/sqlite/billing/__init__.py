"""The rows of invoices and statements."""
