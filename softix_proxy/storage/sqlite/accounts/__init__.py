"""The rows of accounts, sessions and factors."""
