"""What watches the daemon: health pages and metrics."""
