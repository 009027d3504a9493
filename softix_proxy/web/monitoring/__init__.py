"""The routes for monitoring the daemon: health pages and metrics."""
