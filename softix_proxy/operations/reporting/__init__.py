"""The operations on exports, their manifests and the comparison with providers' bills."""
