"""The rows of organisations, projects and budgets."""
