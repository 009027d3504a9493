"""The chain of manifests."""
