"""`make fuzz`: looks for bytes that a parser of softix does not take as it should."""
