"""What the shipped price catalogue is made from, and checked against. Needed at build time only."""
