"""The differences between types of providers: one row for each type, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from softix_proxy.domain.catalog.provider_types import BLANKS, OnDisconnect, ProviderType


@dataclass(frozen=True, slots=True)
class Profile:
    """Describes how providers of one type are reached, and how they differ from others."""

    endpoints: frozenset[str]
    """The names of the endpoints that it speaks. Requests for other endpoints go elsewhere."""
    base_url: str
    """The default base URL, with BLANKS.

    Empty means that the URL must be given or found. For the demo, the daemon knows it.
    """
    needs_key: bool
    auth: Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "none"]
    """The way a plain key is sent: as a bearer token, or in the header of this name."""
    on_hang_up: OnDisconnect
    output_field: str | None = None
    """The name of chat's output limit, if it is not the current name in the dialect."""
    other_output_fields: tuple[str, ...] = ()
    """The other names of chat's output limit that it obeys. It does not know, or may not know, any further one."""
    takes_all_limits: bool = False
    """Whether it gets the limit under all of these names, because nobody knows which of them the server obeys."""
    completion_fields: tuple[str, ...] = ("max_tokens",)
    """The names of the output limit of `/v1/completions` that it obeys, its own first."""
    adds_input: bool = False
    """Whether it adds input to every chat, such as what it finds in a search."""
    models_path: str = "/v1/models"
    """The path at which a GET lists the models.

    It shows whether the key is accepted. Empty means that there is none.
    """
    preferred: str = ""
    """The endpoint, of several, that serves requests of other dialects best."""
    paths: tuple[tuple[str, str], ...] = ()
    """The pairs of a prefix of paths in the dialect and its replacement here. The first that matches applies."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The body fields that it refuses → its own names for them.

    An empty name means that the field is left out, because the provider does the same without it.
    """
    versions: tuple[str, ...] = ("/v1",)
    """The endings of base URLs that already contain the beginning of its paths, the longest first."""
    other_hosts: tuple[str, ...] = ()
    """The endings of the names of hosts that serve the same as the default host."""
    region: str | None = None
    """The region where it does all of its work, if it states one."""
    ports: tuple[int, ...] = ()
    """The ports on which a self-hosted server usually listens."""
    batches: Literal["", "openai", "anthropic"] = ""
    """The batch API that it has."""
    wraps_counts: bool = True
    """Whether a provider of Gemini's dialect accepts the request to be counted as a field of the body."""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """The client headers that it accepts beside those of its dialect → the reasons why they may pass."""
    shows: frozenset[str] = frozenset()
    """The parts of a response that pass while they are produced, as its documentation or its source says.

    `calls` are the arguments of tool calls: others send a call once it is complete. `reasoning` is the whole text of
    what a model thinks: others send none of it, or a summary.
    """
    tokens_per_piece: Fraction = Fraction(5, 4)
    """The most tokens that its models make of a piece of text that large vocabularies know as one, on average.

    Smaller vocabularies cut words more often. Those of OpenAI and DeepSeek were measured.
    """
    served: tuple[str, ...] = ("",)
    """The prefixes of names of the catalogue's models that these endpoints serve."""

    def auth_headers(self, key: str | None) -> dict[str, str]:
        """Returns the headers that authenticate with the provider, or none without a key."""
        if key is None or self.auth == "none":
            return {}
        return {"authorization": f"Bearer {key}"} if self.auth == "bearer" else {self.auth: key}

    def limits_to_add(self, endpoint: str, given: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the names under which a request to this endpoint still needs its output limit.

        `given` are the names under which the client gave it. None is needed if the provider obeys one of them.
        """
        names = self._limit_names(endpoint)
        missing = tuple(name for name in names if name not in given)
        if self.takes_all_limits:
            return missing
        return names[:1] if len(missing) == len(names) else ()

    def obeys(self, endpoint: str, given: tuple[str, ...]) -> bool:
        """Returns whether it may obey an output limit under one of these names."""
        names = self._limit_names(endpoint)
        return not names or any(name in names for name in given)

    def _limit_names(self, endpoint: str) -> tuple[str, ...]:
        if endpoint == "chat_completions":
            return self.output_field or "max_completion_tokens", *self.other_output_fields
        return self.completion_fields if endpoint == "completions" else ()

    def path(self, path: str) -> str:
        """Maps a path of the dialect to the provider's path, which follows its base URL."""
        for begins, there in self.paths:
            if path.startswith(begins):
                return there + path[len(begins) :]
        return path

    @property
    def versioned_base_urls(self) -> bool:
        """Whether its SDKs expect the version in the base URL, as OpenAI's do, and do not add it themselves."""
        return "chat_completions" in self.endpoints

    @property
    def blanks(self) -> tuple[str, ...]:
        return tuple(name for name in BLANKS if f"{{{name}}}" in self.base_url)

    def filled(self, blanks: Mapping[str, str]) -> str:
        """Returns the base URL with all of its `blanks` filled in."""
        # The host of Vertex's global location has no location in its name.
        return self.base_url.format_map(blanks).replace("://global-", "://")


_VERSION = re.compile(r"/v\d+(?:alpha|beta)?(?=/)")


def path_behind_version(path: str) -> str:
    """Removes the version from the start of a path: `/v1/chat/completions` → `/chat/completions`."""
    found = _VERSION.match(path)
    return path[found.end() :] if found else path


_TEXT = frozenset({"chat_completions", "completions", "responses", "embeddings"})
_IMAGES = frozenset({"image_generations", "image_edits"})
_AUDIO = frozenset({"speech", "transcriptions", "translations"})
_OPENAI = _TEXT | _IMAGES | _AUDIO | {"input_tokens", "moderations", "image_variations", "realtime"}
_RERANK = frozenset({"rerank", "rerank_v2"})
_ANTHROPIC = frozenset({"messages", "count_tokens"})
_VERTEX = frozenset({"generate_content", "stream_generate_content", "gemini_count_tokens"})
_GEMINI = _VERTEX | {"embed_content", "batch_embed_contents"}
_CHAT = frozenset({"chat_completions"})
_OWN = _CHAT | {"completions", "embeddings"}
"""The endpoints of a self-hosted server. Old versions have no responses, so these are translated instead."""
_BEDROCK = frozenset({"converse", "converse_stream", "invoke", "invoke_stream"})
_GOOGLE = "/v1/projects/{project}/locations/{location}"
_OLD_LIMIT, _NEW_LIMIT = "max_tokens", "max_completion_tokens"
_APP = "names the program that asks, in OpenRouter's rankings"
_OPENROUTER_HEADERS = dict.fromkeys(("http-referer", "x-title", "x-openrouter-title", "x-openrouter-categories"), _APP)
_VERTEX_HEADERS = {"x-vertex-ai-llm-request-type": "says whether throughput that was paid in advance is used"}
_AZURE_HEADERS = {
    "x-ms-client-request-id": "names the request in the provider's support",
    "x-ms-useragent": "names the SDK",
}
_XAI_HEADERS = {"x-grok-conv-id": "names a conversation, by which prompts are found in the cache"}
_FIREWORKS_HEADERS = {"x-session-affinity": "names a session, by which prompts are found in the cache"}
_CALLS = frozenset({"calls"})
_REASONING = frozenset({"reasoning"})
_ALL = _CALLS | _REASONING
_ONE = Fraction(1)
_COHERE_HEADERS = {"x-client-name": "names the program that asks"}

PROFILES: Mapping[ProviderType, Profile] = {
    ProviderType.OPENAI: Profile(
        _OPENAI,
        "https://api.openai.com",
        True,
        "bearer",
        "cancel",
        preferred="responses",
        shows=_CALLS,
        tokens_per_piece=_ONE,
        batches="openai",
        other_output_fields=(_OLD_LIMIT,),
    ),
    ProviderType.ANTHROPIC: Profile(
        _ANTHROPIC,
        "https://api.anthropic.com",
        True,
        "x-api-key",
        "cancel",
        batches="anthropic",
        tokens_per_piece=Fraction(7, 5),
    ),
    ProviderType.GEMINI: Profile(
        _GEMINI,
        "https://generativelanguage.googleapis.com",
        True,
        "x-goog-api-key",
        "drain",
        models_path="/v1beta/models",
        versions=("/v1beta", "/v1"),
    ),
    ProviderType.VERTEX: Profile(
        _VERTEX | {"raw_predict", "stream_raw_predict"},
        f"https://{{location}}-aiplatform.googleapis.com{_GOOGLE}",
        True,
        "bearer",
        "drain",
        models_path="",
        paths=(("/v1beta/", "/publishers/google/"),),
        versions=("/publishers/google", "/publishers/anthropic"),
        wraps_counts=False,
        request_headers=_VERTEX_HEADERS,
        served=("gemini-", "claude-"),
    ),
    ProviderType.BEDROCK: Profile(
        _BEDROCK,
        "https://bedrock-runtime.{location}.amazonaws.com",
        True,
        "bearer",
        "drain",
        models_path="",
        preferred="converse",
    ),
    ProviderType.AZURE: Profile(
        _TEXT | _IMAGES | _AUDIO,
        "https://{resource}.openai.azure.com/openai",
        True,
        "api-key",
        "cancel",
        shows=_CALLS,
        tokens_per_piece=_ONE,
        preferred="responses",
        other_hosts=(".services.ai.azure.com", ".cognitiveservices.azure.com"),
        request_headers=_AZURE_HEADERS,
        other_output_fields=(_OLD_LIMIT,),
    ),
    ProviderType.MISTRAL: Profile(
        _CHAT | {"embeddings", "transcriptions"},
        "https://api.mistral.ai",
        True,
        "bearer",
        "drain",
        output_field=_OLD_LIMIT,
        fields={"stream_options": "", "max_completion_tokens": _OLD_LIMIT},
        region="eu",
    ),
    ProviderType.DEEPSEEK: Profile(
        _CHAT,
        "https://api.deepseek.com",
        True,
        "bearer",
        "cancel",
        output_field=_OLD_LIMIT,
        region="cn",
        tokens_per_piece=_ONE,
        shows=_CALLS | _REASONING,
    ),
    ProviderType.XAI: Profile(
        _CHAT | {"responses", "image_generations"},
        "https://api.x.ai",
        True,
        "bearer",
        "cancel",
        preferred="responses",
        request_headers=_XAI_HEADERS,
        other_output_fields=(_OLD_LIMIT,),
        fields={"max_tool_calls": "max_turns"},
    ),
    ProviderType.GROQ: Profile(
        _CHAT | _AUDIO | {"responses"},
        "https://api.groq.com/openai",
        True,
        "bearer",
        "drain",
        batches="openai",
        other_output_fields=(_OLD_LIMIT,),
    ),
    ProviderType.TOGETHER: Profile(
        _OWN | _AUDIO | {"image_generations", "rerank"},
        "https://api.together.xyz",
        True,
        "bearer",
        "cancel",
        shows=_REASONING,
        output_field=_OLD_LIMIT,
    ),
    ProviderType.FIREWORKS: Profile(
        _OWN | {"responses"},
        "https://api.fireworks.ai/inference",
        True,
        "bearer",
        "cancel",
        shows=_REASONING,
        output_field=_OLD_LIMIT,
        request_headers=_FIREWORKS_HEADERS,
        other_output_fields=(_NEW_LIMIT,),
    ),
    ProviderType.COHERE: Profile(
        _CHAT | _RERANK | {"embeddings"},
        "https://api.cohere.com",
        True,
        "bearer",
        "cancel",
        output_field=_OLD_LIMIT,
        paths=(("/v1/rerank", "/v1/rerank"), ("/v1/", "/compatibility/v1/")),
        versions=("/compatibility/v1", "/compatibility", "/v2", "/v1"),
        request_headers=_COHERE_HEADERS,
    ),
    ProviderType.OPENROUTER: Profile(
        _OWN | {"responses"},
        "https://openrouter.ai/api",
        True,
        "bearer",
        "drain",
        output_field=_OLD_LIMIT,
        request_headers=_OPENROUTER_HEADERS,
        other_output_fields=(_NEW_LIMIT,),
    ),
    ProviderType.PERPLEXITY: Profile(
        _CHAT | {"embeddings"},
        "https://api.perplexity.ai",
        True,
        "bearer",
        "drain",
        output_field=_OLD_LIMIT,
        models_path="",
        paths=(("/v1/chat/", "/chat/"),),
        adds_input=True,
    ),
    ProviderType.OLLAMA: Profile(
        _OWN, "", False, "bearer", "cancel", output_field=_OLD_LIMIT, ports=(11434,), shows=_REASONING
    ),
    ProviderType.VLLM: Profile(
        _OWN | _RERANK | {"responses", "transcriptions", "translations"},
        "",
        False,
        "bearer",
        "cancel",
        shows=_REASONING,
        output_field=_OLD_LIMIT,
        ports=(8000,),
        other_output_fields=(_NEW_LIMIT,),
    ),
    ProviderType.LLAMACPP: Profile(
        _OWN | {"rerank"},
        "",
        False,
        "bearer",
        "cancel",
        output_field=_OLD_LIMIT,
        ports=(8080,),
        other_output_fields=("n_predict",),
        completion_fields=(_OLD_LIMIT, "n_predict"),
        shows=_REASONING,
    ),
    ProviderType.LMSTUDIO: Profile(
        _OWN | {"responses"}, "", False, "bearer", "cancel", output_field=_OLD_LIMIT, ports=(1234,), shows=_REASONING
    ),
    ProviderType.SGLANG: Profile(
        _OWN | {"rerank"},
        "",
        False,
        "bearer",
        "cancel",
        output_field=_OLD_LIMIT,
        ports=(30000,),
        other_output_fields=(_NEW_LIMIT,),
        shows=_REASONING,
    ),
    ProviderType.OPENAI_COMPATIBLE: Profile(
        _OPENAI | _RERANK,
        "",
        False,
        "bearer",
        "cancel",
        output_field=_OLD_LIMIT,
        batches="openai",
        request_headers=_OPENROUTER_HEADERS | _XAI_HEADERS | _FIREWORKS_HEADERS | _COHERE_HEADERS,
        other_output_fields=(_NEW_LIMIT,),
        takes_all_limits=True,
    ),
    ProviderType.DEMO: Profile(
        _TEXT | _ANTHROPIC, "", False, "bearer", "cancel", other_output_fields=(_OLD_LIMIT,), shows=_ALL
    ),
}
