"""Rows of routes, and the changes of the directory."""
