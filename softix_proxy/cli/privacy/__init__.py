"""The commands on technical data."""
