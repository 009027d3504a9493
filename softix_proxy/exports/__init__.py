"""The formats of exports: each file turns rows into the bytes of one format."""
