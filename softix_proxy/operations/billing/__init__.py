"""What an operator can do with invoices and statements."""
