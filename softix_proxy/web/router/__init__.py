"""The way from a path to the handler that serves it, and from every error to a response."""
