"""Where programs report leaked keys."""
