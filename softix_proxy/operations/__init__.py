"""The operations that an operator can run, by noun."""
