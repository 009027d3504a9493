"""The code that all commands share: output, tables, options and the sources of secrets."""
