"""What an operator can do with the instance as a whole."""
