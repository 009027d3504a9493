"""One file per check, which finds a problem and gives its remedy."""
