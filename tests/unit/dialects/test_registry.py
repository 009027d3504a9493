from __future__ import annotations

import pytest

from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS, provider_side, serves, streaming
from softix_proxy.domain.catalog.providers import PROFILES, ProviderType


def test_endpoint_registry_lists_each_path_with_its_family_and_metering() -> None:
    assert {endpoint.path: (name, endpoint.family, endpoint.metered) for name, endpoint in ENDPOINTS.items()} == {
        "/v1/chat/completions": ("chat_completions", "openai", True),
        "/v1/completions": ("completions", "openai", True),
        "/v1/responses/input_tokens": ("input_tokens", "openai", False),
        "/v1/responses": ("responses", "openai", True),
        "/v1/embeddings": ("embeddings", "openai", True),
        "/v1/moderations": ("moderations", "openai", True),
        "/v1/images/generations": ("image_generations", "openai", True),
        "/v1/images/edits": ("image_edits", "openai", True),
        "/v1/images/variations": ("image_variations", "openai", True),
        "/v1/audio/speech": ("speech", "openai", True),
        "/v1/audio/transcriptions": ("transcriptions", "openai", True),
        "/v1/audio/translations": ("translations", "openai", True),
        "/v1/rerank": ("rerank", "openai", True),
        "/v2/rerank": ("rerank_v2", "openai", True),
        "/v1/messages": ("messages", "anthropic", True),
        "/v1/messages/count_tokens": ("count_tokens", "anthropic", False),
        "/v1beta/models/{model}:generateContent": ("generate_content", "gemini", True),
        "/v1beta/models/{model}:streamGenerateContent": ("stream_generate_content", "gemini", True),
        "/v1beta/models/{model}:countTokens": ("gemini_count_tokens", "gemini", False),
        "/v1beta/models/{model}:embedContent": ("embed_content", "gemini", True),
        "/v1beta/models/{model}:batchEmbedContents": ("batch_embed_contents", "gemini", True),
    }
    assert all(endpoint.name == name for name, endpoint in ENDPOINTS.items())


def test_provider_side_with_the_endpoint_of_the_client_is_that_endpoint() -> None:
    chat = ENDPOINTS["chat_completions"]
    assert provider_side(chat, frozenset({"chat_completions", "embeddings"})) is chat
    assert provider_side(chat, frozenset({"messages"})) is ENDPOINTS["messages"]


def test_provider_side_with_another_dialect_is_the_preferred_endpoint_or_none() -> None:
    messages, openai = ENDPOINTS["messages"], frozenset({"chat_completions", "responses", "embeddings"})
    assert provider_side(messages, openai) is ENDPOINTS["chat_completions"]
    assert provider_side(messages, openai, "responses") is ENDPOINTS["responses"]
    assert provider_side(ENDPOINTS["embeddings"], frozenset({"messages"})) is None
    assert provider_side(ENDPOINTS["count_tokens"], openai) is None


def test_streaming_endpoint_with_a_path_of_its_own_is_returned() -> None:
    assert streaming(ENDPOINTS["generate_content"]) is ENDPOINTS["stream_generate_content"]
    assert streaming(PROVIDER_ENDPOINTS["converse"]) is PROVIDER_ENDPOINTS["converse_stream"]
    assert streaming(ENDPOINTS["messages"]) is ENDPOINTS["messages"]


def test_provider_profiles_name_only_known_endpoints() -> None:
    known = PROVIDER_ENDPOINTS.keys() | {REALTIME.name}
    assert all(profile.endpoints and profile.endpoints <= known for profile in PROFILES.values())


BEDROCK = PROFILES[ProviderType.BEDROCK]
CLAUDE, LLAMA = "us.anthropic.claude-sonnet-4-6-v1:0", "meta.llama3-70b-instruct-v1:0"


@pytest.mark.parametrize(
    ("client", "model", "there"),
    [
        ("messages", CLAUDE, "invoke"),
        ("messages", LLAMA, "converse"),
        ("chat_completions", CLAUDE, "converse"),
        ("generate_content", LLAMA, "converse"),
    ],
)
def test_provider_side_at_bedrock_depends_on_the_client_and_the_model(client: str, model: str, there: str) -> None:
    found = provider_side(ENDPOINTS[client], BEDROCK.endpoints, BEDROCK.preferred, model)
    assert found is PROVIDER_ENDPOINTS[there]


def test_provider_side_at_vertex_for_claude_is_raw_predict() -> None:
    vertex = frozenset({"generate_content", "stream_generate_content", "raw_predict", "stream_raw_predict"})
    for client in ("messages", "chat_completions", "generate_content"):
        assert provider_side(ENDPOINTS[client], vertex, "", "claude-x") is PROVIDER_ENDPOINTS["raw_predict"]
        assert provider_side(ENDPOINTS[client], vertex, "", "gemini-x") is ENDPOINTS["generate_content"]
    assert not serves("invoke", LLAMA)


def test_provider_side_without_a_translated_dialect_is_none() -> None:
    assert provider_side(ENDPOINTS["embeddings"], BEDROCK.endpoints, BEDROCK.preferred, CLAUDE) is None
