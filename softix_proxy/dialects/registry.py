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
from softix_proxy.dialects.translate.table import DIALECTS, STREAMS_BY_PATH, dialect_of

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
HEADERS: Mapping[str, tuple[tuple[str, str], ...]] = {"messages": (("anthropic-version", "2023-06-01"),)}
"""What an endpoint wants beside a body, of whoever is no client of its own."""
QUERIES: Mapping[str, str] = {"stream_generate_content": "?alt=sse"}
_STREAMED = {plain: streamed for streamed, plain in STREAMS_BY_PATH.items()}


def streaming(endpoint: Endpoint) -> Endpoint:
    """The one by which it streams: itself, where the body asks for it."""
    return ENDPOINTS.get(_STREAMED.get(endpoint.name, ""), endpoint)


def provider_side(endpoint: Endpoint, spoken: frozenset[str], preferred: str = "") -> Endpoint | None:
    """The endpoint at a provider that speaks these, by which this one's requests can be answered.

    Where it is another, requests and answers are translated; `preferred` is the one that the provider does best.
    """
    if endpoint.name in spoken:
        return endpoint
    if dialect_of(endpoint.name) is None:
        return None
    return next((ENDPOINTS[name] for name in (preferred, *DIALECTS) if name in spoken and name in ENDPOINTS), None)
