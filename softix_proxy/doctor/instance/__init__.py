"""Checks of the instance as a whole."""
