"""The operators' side of the portal, under /admin. Its pages call the operations that the commands call."""
