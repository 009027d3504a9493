import pytest

from softix_proxy.web.inference.routes import DEPLOYABLE
from softix_proxy.web.route_table import ROUTES
from softix_proxy.web.router import path_resolver
from softix_proxy.web.router.path_patterns import NO_ENTRY, PathPatterns
from softix_proxy.web.router.path_resolver import PathResolver, without_azures

RESOLVER = PathResolver(PathPatterns(ROUTES), DEPLOYABLE)
locate = RESOLVER.resolve


def label(path: str) -> str:
    """The endpoint that a POST reaches, as the metrics call it; empty where it reaches none."""
    route = locate(path).entry.route("POST", "openai")
    return "" if route is None else route.label


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
        ("/openai/v1/chat/completions", "/chat/completions"),
        ("/api/v1/embeddings", "/embeddings"),
        ("/inference/v1/models", "/models"),
        ("/v1beta/openai/chat/completions", "/chat/completions"),
        ("/anthropic/v1/messages", "/messages"),
        ("/api/embeddings", "/api/embeddings"),
        ("/api/hello", "/api/hello"),
        ("//v1//chat/./completions", "/chat/completions"),
        ("/v1/CHAT/completions/", "/chat/completions"),
        ("/v1/%63hat%2Fcompletions%20", "/chat/completions"),
        ("http://softix.example/v1/models", "/models"),
        ("/v1/Models/GPT-4", "/models/GPT-4"),
        ("/v1/models/a%2Fb", "/models/a/b"),
        ("/V1/Messages/Batches/msgbatch_A/results", "/messages/batches/msgbatch_A/results"),
        ("/v1/REALTIME", "/realtime"),
    ],
)
def test_path_with_any_base_url_resolves_to_its_endpoint_path(path: str, found: str) -> None:
    assert locate(path).path == found


@pytest.mark.parametrize(
    ("path", "endpoint", "name"),
    [
        ("/openai/deployments/gpt-test/chat/completions", "/chat/completions", "gpt-test"),
        ("/openai/deployments/a%2Fb/completions", "/completions", "a/b"),
        ("/openai/deployments/a/b/images/edits/", "/images/edits", "a/b"),
        ("/v1/deployments/Mine/Audio/Speech", "/audio/speech", "Mine"),
        ("/deployments/@cf/x/embeddings", "/embeddings", "@cf/x"),
    ],
)
def test_path_with_a_deployment_returns_it_as_the_model(path: str, endpoint: str, name: str) -> None:
    found = locate(path)
    assert (found.path, found.base_family, found.deployment, found.of_azure) == (endpoint, "openai", name, True)
    assert found.entry is locate(endpoint).entry


@pytest.mark.parametrize(
    "path",
    [
        "/openai/deployments",
        "/openai/deployments/gpt-test",
        "/openai/deployments/chat/completions",
        "/v1/deployments/d/messages",
        "/v1/deployments/d/pause",
    ],
)
def test_path_without_a_complete_deployment_has_no_model(path: str) -> None:
    assert locate(path).deployment == "" and label(path) == ""


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("api-version=2024-10-21", ""),
        ("a=b&api-version=preview&c", "a=b&c"),
        ("deployment=x&api-versions=1", "api-versions=1"),
    ],
)
def test_query_with_azure_parameters_omits_them(query: str, left: str) -> None:
    assert without_azures(query) == left


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/v1beta/models", "gemini"),
        ("/v1beta1/models", "gemini"),
        ("/v1beta/openai/models", "openai"),
        ("/anthropic/v1/models", "anthropic"),
        ("/openai/v1/models", "openai"),
        ("/v1/models", None),
    ],
)
def test_path_with_a_provider_prefix_has_its_family(path: str, family: str | None) -> None:
    assert locate(path).base_family == family


@pytest.mark.parametrize(
    "rest", ["gemini-2.5-flash:generateContent", "a/b:countTokens", "", "g/", "{model}:embedContent"]
)
def test_path_of_google_by_the_fast_lookup_equals_the_full_lookup(rest: str) -> None:
    assert locate(f"/v1beta/models/{rest}") == locate(f"//v1beta/models/{rest}")


@pytest.mark.parametrize(
    ("path", "headers", "family"),
    [
        ("/v1/models", {}, "openai"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1/models", {"x-goog-api-key": "", "anthropic-version": "2023-06-01"}, "gemini"),
        ("/v1/messages/batches", {}, "anthropic"),
        ("/v1beta/models", {"anthropic-version": "2023-06-01"}, "gemini"),
        ("/openai/v1/files", {"x-goog-api-key": ""}, "openai"),
    ],
)
def test_family_in_the_base_url_takes_precedence_over_headers(path: str, headers: dict[str, str], family: str) -> None:
    assert locate(path).family(headers) == family


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/models/gemini-2.5-flash:generateContent", "generate_content", "gemini-2.5-flash"),
        ("/models/gemini-2.5-flash%3AstreamGenerateContent", "stream_generate_content", "gemini-2.5-flash"),
        ("/models/models/g:countTokens", "gemini_count_tokens", "models/g"),
        ("/models/llama3:8b:embedContent", "embed_content", "llama3:8b"),
        ("/v1beta/models/%40cf/meta/llama-3:generateContent", "generate_content", "@cf/meta/llama-3"),
        ("/v1beta/models/~anthropic%2Fclaude:generatecontent", "generate_content", "~anthropic/claude"),
        ("/v1/models/{model}:generateContent", "generate_content", "{model}"),
    ],
)
def test_path_with_a_model_returns_the_endpoint_and_the_model(path: str, name: str, model: str) -> None:
    assert (label(path), locate(path).name) == (name, model)


@pytest.mark.parametrize(
    "path", ["/models/llama3:8b", "/models/g:bidiGenerateContent", "/models/g", "/models/:", "/x:y"]
)
def test_path_without_an_endpoint_has_no_post_route(path: str) -> None:
    assert label(path) == ""


def test_path_without_a_route_has_no_entry() -> None:
    assert locate("/v1/nowhere").entry is NO_ENTRY
    assert not NO_ENTRY.by_method


def test_path_that_is_common_is_resolved_without_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(raw: str) -> None:
        raise AssertionError(raw)

    monkeypatch.setattr(path_resolver.path_syntax, "read", refuse)
    for route in ROUTES:
        if route.is_fixed:
            for base in ("", "/v1", "/openai/v1"):
                assert locate(f"{base}{route.pattern}").path == route.pattern
