"""The postings, balances and periods, and the proof that they agree."""
