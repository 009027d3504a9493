"""The wire formats: request fields, usage and errors. This package does no I/O."""
