"""The life of one request and its steps. Read lifecycle.py."""
