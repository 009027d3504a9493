"""The writes of the hot path: one thread, and one transaction for each group of requests."""
