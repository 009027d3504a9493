"""The endpoint, readers and writers of Anthropic's messages."""
