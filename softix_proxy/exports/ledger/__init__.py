"""The journals for accounting programs."""
