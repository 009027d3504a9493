"""The operations on organisations, projects and budgets."""
