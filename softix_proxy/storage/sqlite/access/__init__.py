"""The rows of users and API keys."""
