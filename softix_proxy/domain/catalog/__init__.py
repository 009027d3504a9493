"""Models, providers and what is needed to reach them."""
