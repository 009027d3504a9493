"""Bytes in, rows out: a file per format of a provider's bill."""
