"""What a key may ask about itself: its models, its limits, its usage."""
