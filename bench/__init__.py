"""Softix beside its peers, in one run. See README.md."""
