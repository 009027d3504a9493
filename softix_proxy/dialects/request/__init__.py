"""The parts of a request that all dialects read alike: members and their classes, lists, names of things, forms."""
