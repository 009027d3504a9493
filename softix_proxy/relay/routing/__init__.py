"""The choice of a target, leases on targets, retries and failures."""
