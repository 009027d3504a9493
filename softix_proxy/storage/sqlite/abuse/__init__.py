"""The rows of alerts of abuse, and of what the rules look at."""
