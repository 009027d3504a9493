"""The commands for providers and models."""
