"""The operations that an operator can run on invoices and statements."""
