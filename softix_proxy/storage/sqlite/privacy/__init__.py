"""The rows of technical data."""
