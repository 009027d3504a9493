"""The commands for usage and batches."""
