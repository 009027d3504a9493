"""The operations that an operator can run on usage and batches."""
