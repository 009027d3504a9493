"""The HTTP server: the URL table, one exchange per request, and one table from refusals to responses."""
