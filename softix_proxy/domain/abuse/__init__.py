"""The rules against abuse: what they look at, and what they say."""
