"""The page on which a person chooses what to be told."""
