"""Bedrock's Converse: endpoint, readers and writers."""
