"""The models, the providers and what is needed to reach them."""
