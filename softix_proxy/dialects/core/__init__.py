"""What all dialects share: fields, framing, usage, errors and tools."""
