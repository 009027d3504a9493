"""The life of one request and its steps. Start reading at lifecycle.py."""
