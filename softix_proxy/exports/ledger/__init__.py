"""Journals for accounting programs."""
