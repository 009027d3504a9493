"""The organisations: their members, projects and budgets."""
