"""Bedrock's Converse, which no client speaks here: it is a provider's side only."""
