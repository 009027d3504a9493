"""Usage rows and summaries."""
