"""What an operator can do with routes."""
