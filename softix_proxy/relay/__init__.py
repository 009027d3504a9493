"""The life of a request. Read lifecycle.py."""
