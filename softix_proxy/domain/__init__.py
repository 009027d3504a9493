"""The concepts of the product: money, usage, limits, people and models. Uses the standard library only."""
