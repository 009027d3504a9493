"""Admission, settlement, usage records and batches."""
