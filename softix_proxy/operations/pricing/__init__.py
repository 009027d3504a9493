"""The operations that an operator can run on prices."""
