"""Lists the endpoints that softix meters by their names: its own POST routes and further endpoints of providers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from softix_proxy.dialects.anthropic.endpoint import Messages, MessagesCountTokens
from softix_proxy.dialects.anthropic.envelopes import Invoke, InvokeStream, RawPredict, StreamRawPredict
from softix_proxy.dialects.bedrock.endpoint import Converse, ConverseStream, includes_cache
from softix_proxy.dialects.core.base import Endpoint, ProviderEndpoint
from softix_proxy.dialects.core.spoken import (
    CARRIED,
    COUNTS,
    ENVELOPES,
    STREAMS_BY_PATH,
    TRANSLATED,
    dialect_of,
    is_claude,
)
from softix_proxy.dialects.gemini.endpoint import (
    BatchEmbedContents,
    EmbedContent,
    GeminiCountTokens,
    GenerateContent,
    StreamGenerateContent,
)
from softix_proxy.dialects.openai.audio import Speech, Transcriptions, Translations
from softix_proxy.dialects.openai.chat.endpoint import ChatCompletions
from softix_proxy.dialects.openai.completions import Completions
from softix_proxy.dialects.openai.embeddings import Embeddings
from softix_proxy.dialects.openai.images import ImageEdits, ImageGenerations, ImageVariations
from softix_proxy.dialects.openai.moderations import Moderations
from softix_proxy.dialects.openai.rerank import Rerank, RerankV2
from softix_proxy.dialects.openai.responses.endpoint import InputTokens, Responses

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
"""All endpoints by name, including those of providers that no client speaks. Only translation reaches these."""

REPORT_ON_REQUEST = frozenset(endpoint.name for endpoint in _ALL if getattr(endpoint, "reports_on_request", False))
"""The endpoints whose streams have usage only on request."""

HEADERS: Mapping[str, tuple[tuple[str, str], ...]] = {"messages": (("anthropic-version", "2023-06-01"),)}
"""The headers that an endpoint needs beside the body, if the client does not speak its dialect."""
QUERIES: Mapping[str, str] = {"stream_generate_content": "?alt=sse"}
_GOOGLES = "generate_content"
_STREAMED = {plain: streamed for streamed, plain in STREAMS_BY_PATH.items()}


_WITH_CACHE: Mapping[str, ProviderEndpoint] = {
    "converse": Converse(with_cache=True),
    "converse_stream": ConverseStream(with_cache=True),
}
"""The variants of these endpoints for models that count the cache as input."""


def streaming(endpoint: ProviderEndpoint) -> ProviderEndpoint:
    """Returns the endpoint for streams. It is the endpoint itself if the body requests the stream."""
    return PROVIDER_ENDPOINTS.get(_STREAMED.get(endpoint.name, ""), endpoint)


def counting(endpoint: ProviderEndpoint, model: str) -> ProviderEndpoint:
    """Returns the endpoint that reads the counts of this model correctly. The model has its name at the provider."""
    found = _WITH_CACHE.get(endpoint.name)
    return endpoint if found is None or not includes_cache(model) else found


def path_for(endpoint: ProviderEndpoint, model: str) -> str:
    """Returns the path with the query and the model's name.

    Slashes in the name are escaped if a slash follows the name in the path.
    """
    return named(endpoint.path, model) + QUERIES.get(endpoint.name, "")


def named(path: str, model: str) -> str:
    return path.replace("{model}", quote(model, safe="" if "{model}/" in path else "/@:"), 1)


def serves(endpoint: str, model: str) -> bool:
    """Returns whether an endpoint can serve this model, by its name at the provider.

    Endpoints that carry Anthropic's messages serve Claude only. Google's own endpoint does not serve Claude.
    """
    google = COUNTS.get(endpoint, dialect_of(endpoint)) == _GOOGLES
    return not google if is_claude(model) else not _envelope(endpoint)


def is_carried(endpoint: ProviderEndpoint, there: ProviderEndpoint) -> bool:
    """Returns whether requests of an endpoint go to the other one in an envelope, with all of their members."""
    return _envelope(there.name) and dialect_of(endpoint.name) == CARRIED


def provider_side(
    endpoint: Endpoint, spoken: frozenset[str], preferred: str = "", model: str = ""
) -> ProviderEndpoint | None:
    """Returns the provider's endpoint for requests of this one to the model.

    None if no endpoint in `spoken` can serve them.

    If it is another endpoint, requests and responses are translated. `preferred` is the one that the provider supports
    best. But an endpoint that carries the client's own dialect comes before all others, since nothing is lost in it.
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
