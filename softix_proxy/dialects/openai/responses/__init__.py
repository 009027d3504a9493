"""The endpoint, readers and writers of OpenAI's Responses API."""
