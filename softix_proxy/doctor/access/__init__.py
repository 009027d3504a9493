"""Checks of whoever uses keys, and of who tries to."""
