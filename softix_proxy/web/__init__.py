"""The HTTP server: the URL table, one exchange per request, one table from refusal to answer."""
