from __future__ import annotations

import pytest

from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.catalog.base_urls import BaseUrl, read_base_url

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
GEMINI = "/v1beta/models/m:generateContent"
ANY = "openai-compatible"


def requested(kind: str, text: str, path: str) -> str:
    """Where a request for this path of the dialect goes."""
    found = read_base_url(text, ProviderType(kind))
    provider = Provider(
        1, "p", "p", ProviderType(kind), found.text, None, "cancel", ProviderStatus.ACTIVE, 1,
        version_in_url=found.has_version,
    )  # fmt: skip
    return provider.base_url + provider.path(path)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com/v1", "https://api.example.com"),
        (" HTTPS://API.Example.com/v1/ ", "https://api.example.com"),
        ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000"),
        ("https://api.example.com/openai/v1", "https://api.example.com/openai"),
        ("https://api.example.com/v1beta", "https://api.example.com/v1beta"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("http://localhost:80", "http://localhost:80"),
    ],
)
def test_base_url_in_any_spelling_is_normalized(text: str, normal: str) -> None:
    assert read_base_url(text, ProviderType.OPENAI_COMPATIBLE).text == normal
    assert read_base_url(normal, ProviderType.OPENAI_COMPATIBLE).text == normal


@pytest.mark.parametrize(
    ("text", "url"),
    [
        # Without a version the dialect's own is put in, as ever.
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000/v1/chat/completions"),
        ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://a.example/openai", "https://a.example/openai/v1/chat/completions"),
        # With one nothing is.
        ("https://ark.cn-beijing.volces.com/api/v3", "https://ark.cn-beijing.volces.com/api/v3/chat/completions"),
        ("https://api.z.ai/api/paas/v4/", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("https://qianfan.baidubce.com/v2", "https://qianfan.baidubce.com/v2/chat/completions"),
        ("https://api.deepinfra.com/v1/openai", "https://api.deepinfra.com/v1/openai/chat/completions"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
        (
            "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi",
            "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/account/gateway/compat",
            "https://gateway.ai.cloudflare.com/v1/account/gateway/compat/chat/completions",
        ),
        (
            "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
            "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions",
        ),
        # Pasted whole.
        ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
        ("https://a.example/api/v3/chat/completions/", "https://a.example/api/v3/chat/completions"),
        ("https://models.github.ai/inference/chat/completions", "https://models.github.ai/inference/chat/completions"),
        ("https://a.example/v1/t/v1/chat/completions", "https://a.example/v1/t/v1/chat/completions"),
        ("https://a.example/v1/models", "https://a.example/v1/chat/completions"),
        ("https://a.example/api/v3/embeddings", "https://a.example/api/v3/chat/completions"),
        ("https://a.example/v2/responses", "https://a.example/v2/chat/completions"),
        ("https://a.example/models", "https://a.example/models/v1/chat/completions"),
        ("https://a.example/v10x", "https://a.example/v10x/v1/chat/completions"),
    ],
)
def test_chat_request_url_of_each_base_url_is_built(text: str, url: str) -> None:
    assert requested(ANY, text, CHAT) == url
    written = url.removesuffix("/chat/completions")
    assert requested(ANY, f"{written}/chat/completions", CHAT) == url, "what goes out can be pasted again"


@pytest.mark.parametrize(
    ("kind", "path", "texts", "url"),
    [
        ("openai", CHAT, ["https://api.openai.com", "https://api.openai.com/v1", "https://api.openai.com/v1/responses"],
         "https://api.openai.com/v1/chat/completions"),
        ("anthropic", MESSAGES, ["https://api.anthropic.com", "https://api.anthropic.com/v1/",
         "https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages/count_tokens"],
         "https://api.anthropic.com/v1/messages"),
        ("anthropic", MESSAGES, ["https://api.z.ai/api/anthropic"], "https://api.z.ai/api/anthropic/v1/messages"),
        ("anthropic", MESSAGES, ["https://gateway.ai.cloudflare.com/v1/a/g/anthropic"],
         "https://gateway.ai.cloudflare.com/v1/a/g/anthropic/v1/messages"),
        ("anthropic", MESSAGES, ["https://a.example/claude/messages"], "https://a.example/claude/messages"),
        ("gemini", GEMINI, ["https://generativelanguage.googleapis.com",
         "https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com/v1beta/models",
         "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
         "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse"],
         "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
        ("gemini", GEMINI, ["https://generativelanguage.googleapis.com/v1alpha"],
         "https://generativelanguage.googleapis.com/v1alpha/models/m:generateContent"),
        ("gemini", GEMINI, ["https://gateway.ai.cloudflare.com/v1/a/g/google-ai-studio"],
         "https://gateway.ai.cloudflare.com/v1/a/g/google-ai-studio/v1beta/models/m:generateContent"),
        ("vertex", GEMINI, ["https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu",
         "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers/google",
         "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/g:generateContent"],
         "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/m:generateContent"),
        ("bedrock", "/model/m/converse", ["https://bedrock-runtime.eu-west-1.amazonaws.com",
         "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-v2:1/invoke"],
         "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse"),
        ("azure", CHAT, ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/",
         "https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1/chat/completions",
         "https://r.openai.azure.com/openai/v1/responses?api-version=preview",
         "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"],
         "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("azure", CHAT, ["https://r.services.ai.azure.com/", "https://r.services.ai.azure.com/openai"],
         "https://r.services.ai.azure.com/openai/v1/chat/completions"),
        ("anthropic", MESSAGES, ["https://r.services.ai.azure.com/anthropic",
         "https://r.services.ai.azure.com/anthropic/v1/messages"],
         "https://r.services.ai.azure.com/anthropic/v1/messages"),
        ("mistral", CHAT, ["https://api.mistral.ai", "https://api.mistral.ai/v1"],
         "https://api.mistral.ai/v1/chat/completions"),
        ("deepseek", CHAT, ["https://api.deepseek.com", "https://api.deepseek.com/v1"],
         "https://api.deepseek.com/v1/chat/completions"),
        ("deepseek", CHAT, ["https://api.deepseek.com/beta/chat/completions"],
         "https://api.deepseek.com/beta/chat/completions"),
        ("xai", CHAT, ["https://api.x.ai/v1"], "https://api.x.ai/v1/chat/completions"),
        ("groq", CHAT, ["https://api.groq.com", "https://api.groq.com/openai", "https://api.groq.com/openai/v1",
         "https://api.groq.com/openai/v1/chat/completions"], "https://api.groq.com/openai/v1/chat/completions"),
        ("together", CHAT, ["https://api.together.xyz/v1"], "https://api.together.xyz/v1/chat/completions"),
        ("fireworks", CHAT, ["https://api.fireworks.ai", "https://api.fireworks.ai/inference/v1"],
         "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("cohere", CHAT, ["https://api.cohere.com", "https://api.cohere.com/compatibility/v1",
         "https://api.cohere.com/v2", "https://api.cohere.com/v1", "https://api.cohere.com/v2/rerank",
         "https://api.cohere.com/compatibility/v1/chat/completions"],
         "https://api.cohere.com/compatibility/v1/chat/completions"),
        ("cohere", "/v2/rerank", ["https://api.cohere.com/compatibility/v1"], "https://api.cohere.com/v2/rerank"),
        ("openrouter", CHAT, ["https://openrouter.ai", "https://openrouter.ai/api", "https://openrouter.ai/api/v1"],
         "https://openrouter.ai/api/v1/chat/completions"),
        ("perplexity", CHAT, ["https://api.perplexity.ai", "https://api.perplexity.ai/chat/completions",
         "https://api.perplexity.ai/v1"], "https://api.perplexity.ai/chat/completions"),
        ("perplexity", "/v1/embeddings", ["https://api.perplexity.ai/chat/completions"],
         "https://api.perplexity.ai/v1/embeddings"),
        *((kind, CHAT, [f"http://localhost:{port}", f"http://localhost:{port}/v1"],
           f"http://localhost:{port}/v1/chat/completions")
          for kind, port in [("ollama", 11434), ("vllm", 8000), ("llamacpp", 8080), ("lmstudio", 1234),
                             ("sglang", 30000)]),
    ],
)  # fmt: skip
def test_request_url_of_each_provider_type_is_built(kind: str, path: str, texts: list[str], url: str) -> None:
    for text in texts:
        assert requested(kind, text, path) == url, text


def test_request_url_with_a_version_in_the_base_url_keeps_that_version() -> None:
    base = "https://a.example/api/v3"
    for path in ("/embeddings", "/responses", "/audio/speech", "/rerank", "/models"):
        assert requested(ANY, base, f"/v1{path}") == base + path
    assert requested(ANY, base, "/v2/rerank") == f"{base}/rerank"
    assert requested(ANY, base, "/v1/chat/completions?x=/v1/") == f"{base}/chat/completions?x=/v1/"


def test_base_url_without_a_version_is_not_settled() -> None:
    def read(text: str, kind: ProviderType = ProviderType.OPENAI_COMPATIBLE) -> BaseUrl:
        return read_base_url(text, kind)

    assert not read("https://a.example/inference").is_settled
    assert not read("https://a.example").is_settled
    for text in ("https://a.example/v1", "https://a.example/v3", "https://a.example/chat/completions"):
        assert read(text).is_settled
    assert read("https://a.example/x", ProviderType.ANTHROPIC).is_settled


def test_azure_base_url_with_a_deployment_is_read_apart() -> None:
    text = "https://r.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    found = read_base_url(text, ProviderType.AZURE)
    assert (found.text, found.deployment) == ("https://r.openai.azure.com/openai", "my-gpt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https://:8000",
        "https://user:secret@api.example.com",
        "https://secret@api.example.com",
        "https://api.example.com?key=secret",
        "https://api.example.com/?",
        "https://api.example.com?api-version=2024",
        "https://api.example.com/v1/chat/completions?key=secret",
        "https://api.example.com/v1/chat/completions?api-version=1&key=secret",
        "https://api.example.com/v1/chat/completions?secret",
        "https://api.example.com/#secret",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://api example.com",
        "https://api.example.com/a b",
        "https://api.example.com/a/../b",
        "https://api.example.com//b",
        "http://[::1",
    ],
)
def test_base_url_that_is_bad_is_refused_without_quoting_secrets(text: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        read_base_url(text, ProviderType.OPENAI_COMPATIBLE)
    assert "secret" not in refusal.value.message + refusal.value.remedy


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "169.254.0.1:8080",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
    ],
)
def test_base_url_with_a_link_local_or_metadata_address_is_refused(host: str) -> None:
    with pytest.raises(BadInputError):
        read_base_url(f"http://{host}", ProviderType.OPENAI_COMPATIBLE)


def test_base_url_with_an_address_that_only_looks_similar_is_accepted() -> None:
    for host in ("169.253.1.1", "[fd00::1]", "127.0.0.1", "metadata.example.org", "[fec0::1]"):
        assert read_base_url(f"http://{host}", ProviderType.OPENAI_COMPATIBLE).text == f"http://{host}"
