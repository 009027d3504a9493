"""The canonical form of requests and responses, and the table of what a translation loses."""
