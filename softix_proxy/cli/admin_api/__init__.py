"""The commands as the admin API offers them: which, with what parameters, and how one is run."""
