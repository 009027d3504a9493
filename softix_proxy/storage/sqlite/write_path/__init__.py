"""The hot path's writes: one thread, one transaction for each group of requests."""
