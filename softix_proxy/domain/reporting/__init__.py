"""Manifests of exports and the comparison with providers' bills."""
