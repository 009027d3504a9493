"""The HTTP server: the URL table, one exchange per request, one table from refusals to responses, and the portal."""
