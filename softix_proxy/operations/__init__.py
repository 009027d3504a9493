"""What operators and people can do, by noun."""
