"""The commands about people who sign in."""
