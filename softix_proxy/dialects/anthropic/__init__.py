"""Anthropic's messages: endpoint, readers and writers."""
