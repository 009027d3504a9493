"""What all commands share: output, tables, options and secrets' sources."""
