"""The endpoints that softix meters, by name: its own POST routes, and what providers have besides."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from softix_proxy.dialects.audio import Speech, Transcriptions, Translations
from softix_proxy.dialects.base import Endpoint, ProviderEndpoint
from softix_proxy.dialects.chat import ChatCompletions
from softix_proxy.dialects.completions import Completions
from softix_proxy.dialects.converse import Converse, ConverseStream, includes_cache
from softix_proxy.dialects.embeddings import Embeddings
from softix_proxy.dialects.envelopes import Invoke, InvokeStream, RawPredict, StreamRawPredict
from softix_proxy.dialects.gemini import (
    BatchEmbedContents,
    EmbedContent,
    GeminiCountTokens,
    GenerateContent,
    StreamGenerateContent,
)
from softix_proxy.dialects.images import ImageEdits, ImageGenerations, ImageVariations
from softix_proxy.dialects.messages import Messages, MessagesCountTokens
from softix_proxy.dialects.moderations import Moderations
from softix_proxy.dialects.rerank import Rerank, RerankV2
from softix_proxy.dialects.responses import InputTokens, Responses
from softix_proxy.dialects.spoken import CARRIED, COUNTS, ENVELOPES, STREAMS_BY_PATH, TRANSLATED, dialect_of, is_claude

_ALL: tuple[Endpoint, ...] = (
    ChatCompletions(),
    Completions(),
    Responses(),
    InputTokens(),
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
    MessagesCountTokens(),
    GenerateContent(),
    StreamGenerateContent(),
    GeminiCountTokens(),
    EmbedContent(),
    BatchEmbedContents(),
)
ENDPOINTS: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in _ALL}
_BEYOND: tuple[ProviderEndpoint, ...] = (
    Converse(),
    ConverseStream(),
    Invoke(),
    InvokeStream(),
    RawPredict(),
    StreamRawPredict(),
)
PROVIDER_ENDPOINTS: Mapping[str, ProviderEndpoint] = {**ENDPOINTS, **{beyond.name: beyond for beyond in _BEYOND}}
"""With those that no client speaks: they are reached by translation only."""

REPORT_ON_REQUEST = frozenset(endpoint.name for endpoint in _ALL if getattr(endpoint, "reports_on_request", False))
"""Those whose streams have usage only where they are asked for it."""

HEADERS: Mapping[str, tuple[tuple[str, str], ...]] = {"messages": (("anthropic-version", "2023-06-01"),)}
"""What an endpoint wants beside a body, of whoever is no client of its own."""
QUERIES: Mapping[str, str] = {"stream_generate_content": "?alt=sse"}
_GOOGLES = "generate_content"
_STREAMED = {plain: streamed for streamed, plain in STREAMS_BY_PATH.items()}


_WITH_CACHE: Mapping[str, ProviderEndpoint] = {
    "converse": Converse(with_cache=True),
    "converse_stream": ConverseStream(with_cache=True),
}
"""The same for models that count otherwise."""


def streaming(endpoint: ProviderEndpoint) -> ProviderEndpoint:
    """The one by which it streams: itself, where the body asks for it."""
    return PROVIDER_ENDPOINTS.get(_STREAMED.get(endpoint.name, ""), endpoint)


def counting(endpoint: ProviderEndpoint, model: str) -> ProviderEndpoint:
    """The one that reads the counts as this model, by its name at the provider, means them."""
    found = _WITH_CACHE.get(endpoint.name)
    return endpoint if found is None or not includes_cache(model) else found


def path_for(endpoint: ProviderEndpoint, model: str) -> str:
    """With the query, and the model's name, which cannot have slashes of its own between two."""
    return named(endpoint.path, model) + QUERIES.get(endpoint.name, "")


def named(path: str, model: str) -> str:
    return path.replace("{model}", quote(model, safe="" if "{model}/" in path else "/@:"), 1)


def serves(endpoint: str, model: str) -> bool:
    """Whether this model, by its name there, is reached so: what carries messages is for Claude, Google's is not."""
    google = COUNTS.get(endpoint, dialect_of(endpoint)) == _GOOGLES
    return not google if is_claude(model) else not _envelope(endpoint)


def provider_side(
    endpoint: Endpoint, spoken: frozenset[str], preferred: str = "", model: str = ""
) -> ProviderEndpoint | None:
    """The endpoint at a provider that speaks these, by which this one's requests to the model can be answered.

    Where it is another, requests and answers are translated; `preferred` is the one that the provider does best. But
    what carries the client's own dialect comes before all others, since nothing is lost in it.
    """
    if endpoint.name in spoken and serves(endpoint.name, model):
        return endpoint
    if endpoint.name in COUNTS:
        counts = (name for name in COUNTS if name in spoken and serves(name, model))
        return next((PROVIDER_ENDPOINTS[name] for name in counts), None)
    dialect = dialect_of(endpoint.name)
    if dialect is None:
        return None
    usable = [name for name in (preferred, *TRANSLATED) if name in spoken and serves(name, model)]
    own = [name for name in usable if _envelope(name) and dialect == CARRIED]
    return next((PROVIDER_ENDPOINTS[name] for name in own + usable), None)


def _envelope(endpoint: str) -> bool:
    return dialect_of(endpoint) in ENVELOPES
