from __future__ import annotations

import pytest

from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS, provider_side, serves, streaming
from softix_proxy.domain.catalog.providers import PROFILES, ProviderType


def test_all_endpoints_by_name() -> None:
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


def test_a_request_goes_to_who_speaks_its_endpoint() -> None:
    chat = ENDPOINTS["chat_completions"]
    assert provider_side(chat, frozenset({"chat_completions", "embeddings"})) is chat
    assert provider_side(chat, frozenset({"messages"})) is ENDPOINTS["messages"]


def test_a_provider_of_another_dialect_answers_by_what_it_does_best() -> None:
    messages, openai = ENDPOINTS["messages"], frozenset({"chat_completions", "responses", "embeddings"})
    assert provider_side(messages, openai) is ENDPOINTS["chat_completions"]
    assert provider_side(messages, openai, "responses") is ENDPOINTS["responses"]
    assert provider_side(ENDPOINTS["embeddings"], frozenset({"messages"})) is None
    assert provider_side(ENDPOINTS["count_tokens"], openai) is None


def test_some_stream_by_another_path() -> None:
    assert streaming(ENDPOINTS["generate_content"]) is ENDPOINTS["stream_generate_content"]
    assert streaming(PROVIDER_ENDPOINTS["converse"]) is PROVIDER_ENDPOINTS["converse_stream"]
    assert streaming(ENDPOINTS["messages"]) is ENDPOINTS["messages"]


def test_what_providers_speak_exists() -> None:
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
def test_a_carried_dialect_is_taken_for_its_own_clients_and_models(client: str, model: str, there: str) -> None:
    found = provider_side(ENDPOINTS[client], BEDROCK.endpoints, BEDROCK.preferred, model)
    assert found is PROVIDER_ENDPOINTS[there]


def test_claude_is_not_reached_by_what_is_googles() -> None:
    vertex = frozenset({"generate_content", "stream_generate_content", "raw_predict", "stream_raw_predict"})
    for client in ("messages", "chat_completions", "generate_content"):
        assert provider_side(ENDPOINTS[client], vertex, "", "claude-x") is PROVIDER_ENDPOINTS["raw_predict"]
        assert provider_side(ENDPOINTS[client], vertex, "", "gemini-x") is ENDPOINTS["generate_content"]
    assert not serves("invoke", LLAMA)


def test_nothing_for_who_speaks_no_translated_dialect() -> None:
    assert provider_side(ENDPOINTS["embeddings"], BEDROCK.endpoints, BEDROCK.preferred, CLAUDE) is None
