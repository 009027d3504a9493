"""Finds abuse, and acts on it."""
