"""What an operator can ask about usage and batches."""
