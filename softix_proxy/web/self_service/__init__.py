"""The routes where a key learns about itself: its models, its limits, its usage."""
