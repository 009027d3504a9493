"""What an operator can do, by noun."""
