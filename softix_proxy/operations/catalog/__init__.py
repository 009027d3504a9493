"""What an operator can do with providers and models."""
