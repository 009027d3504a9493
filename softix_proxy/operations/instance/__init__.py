"""The operations that an operator can run on the instance as a whole."""
