"""The instance: its settings, its files and whether it can serve."""
