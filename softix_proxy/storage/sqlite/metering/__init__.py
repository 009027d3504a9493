"""The usage rows, failed attempts, daily sums and batches."""
