"""OpenAI's Responses API: endpoint, readers and writers."""
