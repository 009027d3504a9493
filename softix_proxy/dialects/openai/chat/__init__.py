"""The endpoint, readers and writers of OpenAI's chat completions."""
