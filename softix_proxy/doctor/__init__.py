"""One file per check: find, and say the remedy."""
