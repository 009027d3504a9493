"""Usage rows, failed attempts, daily sums and batches."""
