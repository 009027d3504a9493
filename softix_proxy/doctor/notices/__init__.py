"""The checks of what is told to people and programs."""
