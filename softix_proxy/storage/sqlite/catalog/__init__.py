"""Rows of models and providers."""
