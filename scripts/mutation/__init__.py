"""Changes the code that handles money, one small fault at a time, and counts the faults that no test notices."""
