"""The code that several formats share."""
