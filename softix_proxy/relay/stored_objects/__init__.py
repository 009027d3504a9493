"""What users store at providers whose accounts they share. For anybody but its owner an object does not exist."""
