"""Postings, balances, periods, and the proof that they agree."""
