"""The operations that an operator can run on providers and models."""
