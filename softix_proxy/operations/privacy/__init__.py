"""The operations on technical data."""
