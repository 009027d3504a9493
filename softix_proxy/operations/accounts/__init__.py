"""The operations on accounts, sessions and factors."""
