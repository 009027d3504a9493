"""What the product is about: money, usage, limits, people, models. Standard library only."""
