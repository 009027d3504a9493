"""What an operator can do with users and API keys."""
