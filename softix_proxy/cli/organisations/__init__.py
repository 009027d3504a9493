"""The commands about organisations."""
