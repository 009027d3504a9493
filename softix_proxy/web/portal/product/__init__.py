"""The pages of one organisation: its balance, keys, usage, limits and models, and how programs are connected."""
