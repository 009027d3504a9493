from __future__ import annotations

from softix_proxy.dialects.registry import ENDPOINTS


def test_all_endpoints_by_name() -> None:
    assert {endpoint.path: (name, endpoint.family, endpoint.metered) for name, endpoint in ENDPOINTS.items()} == {
        "/v1/chat/completions": ("chat_completions", "openai", True),
        "/v1/completions": ("completions", "openai", True),
        "/v1/responses": ("responses", "openai", True),
        "/v1/embeddings": ("embeddings", "openai", True),
        "/v1/messages": ("messages", "anthropic", True),
        "/v1/messages/count_tokens": ("count_tokens", "anthropic", False),
    }
    assert all(endpoint.name == name for name, endpoint in ENDPOINTS.items())
