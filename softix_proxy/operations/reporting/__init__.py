"""Exports, their manifests and the comparison with providers' bills."""
