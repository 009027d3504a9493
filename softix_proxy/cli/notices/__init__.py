"""The commands on messages to people."""
