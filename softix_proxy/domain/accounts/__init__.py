"""The people who sign in: their accounts, sessions and factors."""
