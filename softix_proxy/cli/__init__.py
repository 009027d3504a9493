"""The command line, with one file per noun. A command parses its options, calls an operation and prints the result."""
