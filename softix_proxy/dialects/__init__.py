"""Wire formats: request fields, usage, errors. No I/O."""
