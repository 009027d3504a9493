"""The rows of prices and mark-ups."""
