"""Secrets: the master key and everything derived from it."""
