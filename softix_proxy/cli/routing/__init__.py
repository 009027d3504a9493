"""The commands for routes."""
