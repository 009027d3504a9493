"""The life of a request. Start reading at request/lifecycle.py."""
