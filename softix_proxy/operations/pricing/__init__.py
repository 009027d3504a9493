"""What an operator can do with prices."""
