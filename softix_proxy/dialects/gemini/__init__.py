"""Gemini's generateContent: endpoint, readers and writers."""
