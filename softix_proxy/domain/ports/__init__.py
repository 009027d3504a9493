"""The ports: what has a second implementation, and what it promises."""
