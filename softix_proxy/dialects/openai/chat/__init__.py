"""OpenAI's chat completions: endpoint, readers and writers."""
