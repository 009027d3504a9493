"""The endpoint, readers and writers of Gemini's generateContent."""
