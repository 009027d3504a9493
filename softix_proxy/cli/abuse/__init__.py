"""The commands about abuse."""
