"""Rows in, bytes out: a file per format."""
