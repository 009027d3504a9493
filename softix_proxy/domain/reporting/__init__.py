"""The manifests of exports and the comparison with providers' bills."""
