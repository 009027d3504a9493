"""The rows of models and providers."""
