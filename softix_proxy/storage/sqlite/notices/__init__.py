"""The SQL of messages to people."""
