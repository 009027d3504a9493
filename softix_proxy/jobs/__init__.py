"""What runs beside requests: recovery, leases."""
