import pytest

from softix_proxy.dialects.gemini import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web.routes import INFERENCE, NAMED, PAGES, canonical, inference, unmetered


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/messages", "/messages"),
        ("/v1/v1/messages/", "/messages"),
        ("/messages", "/messages"),
        ("/v1", "/"),
        ("/v1/", "/"),
        ("/", "/"),
        ("", "/"),
        ("/v11/messages", "/v11/messages"),
        ("/v1beta/models/", "/models"),
        ("/v1alpha/v1/x", "/x"),
        ("/v1gamma/x", "/v1gamma/x"),
    ],
)
def test_any_number_of_v1(path: str, found: str) -> None:
    assert canonical(path) == found


def test_every_endpoint_has_its_route_and_none_has_two() -> None:
    assert sorted(endpoint.name for endpoint in INFERENCE.values()) == sorted(ENDPOINTS)
    assert not set(INFERENCE) & set(PAGES)
    assert all(canonical(path) == path for path in (*INFERENCE, *PAGES))
    assert all(prefix.endswith("/") for prefix in NAMED)


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash"),
        ("/models/gemini-2.5-flash%3AstreamGenerateContent", "stream_generate_content", "gemini-2.5-flash"),
        ("/models/models/g:countTokens", "gemini_count_tokens", "g"),
        ("/models/llama3:8b:embedContent", "embed_content", "llama3:8b"),
    ],
)
def test_a_model_in_the_path(path: str, name: str, model: str) -> None:
    found = inference(path, "alt=sse")
    assert isinstance(found, GeminiEndpoint) and (found.name, found.model) == (name, model)
    assert ENDPOINTS[name].model == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["/models/llama3:8b", "/models/g:bidiGenerateContent", "/models/g", "/models/:", "/x:y"]
)
def test_no_endpoint(path: str) -> None:
    assert inference(path, "") is None


@pytest.mark.parametrize(
    ("path", "method", "word"),
    [
        ("/files", "GET", "file"),
        ("/files/f/content", "GET", "file"),
        ("/responses/r", "DELETE", "response"),
        ("/wombat", "PATCH", "cannot meter"),
        ("/models/m:predict", "POST", "cannot meter"),
    ],
)
def test_what_providers_have_besides(path: str, method: str, word: str) -> None:
    assert word in (unmetered(path, method) or "").lower()


@pytest.mark.parametrize("path", ["/filesystem", "/wombat", "/batch"])
def test_what_nobody_has(path: str) -> None:
    assert unmetered(path, "GET") is None
