"""The types of providers, and the words in which they differ."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class ProviderType(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    VERTEX = "vertex"
    BEDROCK = "bedrock"
    AZURE = "azure"
    MISTRAL = "mistral"
    DEEPSEEK = "deepseek"
    XAI = "xai"
    GROQ = "groq"
    TOGETHER = "together"
    FIREWORKS = "fireworks"
    COHERE = "cohere"
    OPENROUTER = "openrouter"
    PERPLEXITY = "perplexity"
    OLLAMA = "ollama"
    VLLM = "vllm"
    LLAMACPP = "llamacpp"
    LMSTUDIO = "lmstudio"
    SGLANG = "sglang"
    OPENAI_COMPATIBLE = "openai-compatible"
    DEMO = "demo"


OnDisconnect = Literal["cancel", "drain"]
"""The action upstream when a client disconnects during a stream: abort, or read on to the end."""

BLANKS = ("resource", "project", "location")
"""The names in braces in base URLs. The operator gives their values when the provider is added."""
