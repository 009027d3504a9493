"""Rows of users and API keys."""
