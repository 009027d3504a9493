"""The endpoint, readers and writers of Bedrock's Converse."""
