import pytest

from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.operations.catalog import catalogue

DRAINED = {"bedrock", "gemini", "vertex", "groq", "mistral", "perplexity", "openrouter"}
"""Those who bill on after an abort."""
CHAT, MODEL = "/v1/chat/completions", "/v1beta/models/gemini-x:generateContent"
CLAUDE = "/publishers/anthropic/models/claude-x:rawPredict"


def test_profiles_of_all_provider_types_exist_and_drain_where_the_provider_bills_on() -> None:
    assert set(PROFILES) == set(ProviderType)
    assert {kind.value for kind, profile in PROFILES.items() if profile.on_hang_up == "drain"} == DRAINED


def test_auth_headers_of_each_provider_type_are_those_of_its_interface() -> None:
    headers = {kind: profile.auth_headers("k") for kind, profile in PROFILES.items()}
    assert headers.pop(ProviderType.ANTHROPIC) == {"x-api-key": "k"}
    assert headers.pop(ProviderType.GEMINI) == {"x-goog-api-key": "k"}
    assert headers.pop(ProviderType.AZURE) == {"api-key": "k"}
    assert all(value == {"authorization": "Bearer k"} for value in headers.values())
    assert all(profile.auth_headers(None) == {} for profile in PROFILES.values())


@pytest.mark.parametrize(
    ("kind", "path", "url"),
    [
        ("openai", CHAT, "https://api.openai.com/v1/chat/completions"),
        ("groq", CHAT, "https://api.groq.com/openai/v1/chat/completions"),
        ("fireworks", CHAT, "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("openrouter", CHAT, "https://openrouter.ai/api/v1/chat/completions"),
        ("perplexity", CHAT, "https://api.perplexity.ai/chat/completions"),
        ("perplexity", "/v1/embeddings", "https://api.perplexity.ai/v1/embeddings"),
        ("cohere", CHAT, "https://api.cohere.com/compatibility/v1/chat/completions"),
        ("cohere", "/v1/rerank", "https://api.cohere.com/v1/rerank"),
        ("cohere", "/v2/rerank", "https://api.cohere.com/v2/rerank"),
        ("azure", "/v1/responses", "https://r.openai.azure.com/openai/v1/responses"),
        (
            "vertex",
            MODEL,
            "https://eu-west4-aiplatform.googleapis.com/v1/projects/p/locations/eu-west4"
            "/publishers/google/models/gemini-x:generateContent",
        ),
        (
            "vertex",
            CLAUDE,
            "https://eu-west4-aiplatform.googleapis.com/v1/projects/p/locations/eu-west4"
            "/publishers/anthropic/models/claude-x:rawPredict",
        ),
        ("bedrock", "/model/m/converse", "https://bedrock-runtime.eu-west4.amazonaws.com/model/m/converse"),
    ],
)
def test_profile_with_filled_placeholders_and_path_returns_the_url(kind: str, path: str, url: str) -> None:
    profile = PROFILES[ProviderType(kind)]
    blanks = {"resource": "r", "project": "p", "location": "eu-west4"}
    assert profile.filled(blanks) + profile.path(path) == url


def test_vertex_url_with_global_location_has_the_host_without_location() -> None:
    url = PROFILES[ProviderType.VERTEX].filled({"project": "p", "location": "global"})
    assert url.startswith("https://aiplatform.googleapis.com/v1/projects/p/locations/global")


def test_catalogue_section_of_provider_type_has_a_model_that_the_type_serves() -> None:
    known = {kind.value: PROFILES[kind].served for kind in ProviderType}
    for section in catalogue.load().sections:
        if section in known:
            assert any(model.name.startswith(known[section]) for model in catalogue.load().models(section))


@pytest.mark.parametrize(
    ("kind", "endpoint", "given", "added"),
    [
        ("openai", "chat_completions", (), ("max_completion_tokens",)),
        ("openai", "chat_completions", ("max_tokens",), ()),
        ("together", "chat_completions", ("max_completion_tokens",), ("max_tokens",)),
        ("llamacpp", "chat_completions", ("n_predict",), ()),
        ("openai-compatible", "chat_completions", (), ("max_tokens", "max_completion_tokens")),
        ("openai-compatible", "chat_completions", ("max_tokens",), ("max_completion_tokens",)),
        ("vllm", "completions", ("max_completion_tokens",), ("max_tokens",)),
        ("llamacpp", "completions", ("n_predict",), ()),
        ("openai", "responses", ("max_output_tokens",), ()),
        ("anthropic", "messages", (), ()),
    ],
)
def test_output_limit_is_added_under_the_names_that_the_type_obeys(
    kind: str, endpoint: str, given: tuple[str, ...], added: tuple[str, ...]
) -> None:
    assert PROFILES[ProviderType(kind)].limits_to_add(endpoint, given) == added


def test_limit_under_an_unknown_name_is_not_obeyed() -> None:
    profile = PROFILES[ProviderType.OPENAI]
    assert profile.obeys("chat_completions", ("n_predict", "max_tokens"))
    assert not profile.obeys("chat_completions", ("n_predict",))
    assert profile.obeys("responses", ())
