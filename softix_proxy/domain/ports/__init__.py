"""The ports: the protocols that have a second implementation, and what they promise."""
