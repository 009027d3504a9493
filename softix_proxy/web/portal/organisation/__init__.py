"""The pages about the people of an organisation, its projects and their budgets."""
