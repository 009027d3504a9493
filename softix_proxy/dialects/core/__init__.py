"""The parts that all dialects share: request fields, framing, usage, errors and tools."""
