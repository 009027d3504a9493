"""Users, API keys and their limits."""
