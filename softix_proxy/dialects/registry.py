"""The POST endpoints that softix meters, by name."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.audio import Speech, Transcriptions, Translations
from softix_proxy.dialects.base import Endpoint
from softix_proxy.dialects.chat import ChatCompletions
from softix_proxy.dialects.completions import Completions
from softix_proxy.dialects.embeddings import Embeddings
from softix_proxy.dialects.gemini import (
    BatchEmbedContents,
    EmbedContent,
    GenerateContent,
    StreamGenerateContent,
)
from softix_proxy.dialects.gemini import CountTokens as GeminiCountTokens
from softix_proxy.dialects.images import ImageEdits, ImageGenerations, ImageVariations
from softix_proxy.dialects.messages import CountTokens, Messages
from softix_proxy.dialects.moderations import Moderations
from softix_proxy.dialects.rerank import Rerank, RerankV2
from softix_proxy.dialects.responses import Responses

_ALL: tuple[Endpoint, ...] = (
    ChatCompletions(),
    Completions(),
    Responses(),
    Embeddings(),
    Moderations(),
    ImageGenerations(),
    ImageEdits(),
    ImageVariations(),
    Speech(),
    Transcriptions(),
    Translations(),
    Rerank(),
    RerankV2(),
    Messages(),
    CountTokens(),
    GenerateContent(),
    StreamGenerateContent(),
    GeminiCountTokens(),
    EmbedContent(),
    BatchEmbedContents(),
)
ENDPOINTS: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in _ALL}


def provider_side(endpoint: Endpoint, spoken: frozenset[str]) -> Endpoint | None:
    """The endpoint at a provider that speaks these, by which this one's requests can be answered."""
    return endpoint if endpoint.name in spoken else None
