"""The one HTTP client to providers."""
