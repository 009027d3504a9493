"""The operations that an operator can run on users and API keys."""
