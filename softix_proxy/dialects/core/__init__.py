"""The parts that all dialects share: framing, usage, errors, headers and queries."""
