"""Batches of requests, and their results."""
