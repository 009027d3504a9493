"""Named values of the instance, and inspection of the file from outside."""
