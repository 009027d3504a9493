"""The rows of routes, and the changes of the directory."""
