"""OpenAI's chat completions, and what its relatives add to them."""
