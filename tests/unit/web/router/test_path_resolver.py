import pytest

from softix_proxy.dialects.gemini import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web.routes import (
    INFERENCE,
    NAMED,
    PAGES,
    Place,
    canonical,
    inference,
    locate,
    without_azures,
)


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
def test_any_number_of_v1(path: str, found: str) -> None:
    assert canonical(path) == found


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
def test_a_deployment_in_the_path_is_the_model(path: str, endpoint: str, name: str) -> None:
    assert locate(path) == Place(endpoint, "openai", name, of_azure=True)


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
def test_what_is_no_deployment_names_no_model(path: str) -> None:
    assert locate(path).deployment == "" and inference(locate(path).path, "") is None


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("api-version=2024-10-21", ""),
        ("a=b&api-version=preview&c", "a=b&c"),
        ("deployment=x&api-versions=1", "api-versions=1"),
    ],
)
def test_of_a_query_what_azure_wants_is_left_out(query: str, left: str) -> None:
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
def test_whose_dialect_a_path_tells(path: str, family: str | None) -> None:
    assert locate(path).family == family


@pytest.mark.parametrize(
    "rest", ["gemini-2.5-flash:generateContent", "a/b:countTokens", "", "g/", "{model}:embedContent"]
)
def test_the_short_way_to_google_s_paths_leads_where_the_long_one_does(rest: str) -> None:
    assert locate(f"/v1beta/models/{rest}") == locate(f"//v1beta/models/{rest}")


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
        ("/v1beta/models/%40cf/meta/llama-3:generateContent", "generate_content", "@cf/meta/llama-3"),
        ("/v1beta/models/~anthropic%2Fclaude:generatecontent", "generate_content", "~anthropic/claude"),
    ],
)
def test_a_model_in_the_path(path: str, name: str, model: str) -> None:
    found = inference(canonical(path), "alt=sse")
    assert isinstance(found, GeminiEndpoint) and (found.name, found.model) == (name, model)
    assert ENDPOINTS[name].model == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["/models/llama3:8b", "/models/g:bidiGenerateContent", "/models/g", "/models/:", "/x:y"]
)
def test_no_endpoint(path: str) -> None:
    assert inference(path, "") is None
