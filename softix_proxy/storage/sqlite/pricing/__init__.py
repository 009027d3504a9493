"""Rows of prices and mark-ups."""
