"""The operations on messages to people."""
