import pytest

from softix_proxy.web.router.path_syntax import read


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/v1/chat/completions", "/chat/completions"),
        ("", "/"),
        ("//", "/"),
        ("*", "/*"),
        ("/./v1/../v1/models", "/models"),
        ("/v1/%2e%2e/models", "/models"),
        ("/../../models", "/models"),
        ("/v1/models/%2Fa%2F%2Fb/", "/models/a//b"),
        ("/v1/files/a%2F..%2Fb", "/files/b"),
        ("/v1/files/%2e%2E%2F%2e%2e%2Fmodels", "/models"),
        ("/v1/files/a%2F.%2Fb%2F", "/files/a/b"),
        ("/v1/%2F/%20/models", "/models"),
        ("HTTPS://host:8484/v1/models", "/models"),
        ("https://host", "/"),
        ("/v1/files/%C3%A9%ff", "/files/é\ufffd"),
        ("/v2/rerank", "/v2/rerank"),
        ("/api/tags", "/api/tags"),
        ("/v1/models/openai/v1/x", "/models/openai/v1/x"),
    ],
)
def test_path_in_any_spelling_is_read_in_one_form(raw: str, path: str) -> None:
    assert read(raw).path == path


def test_path_with_the_azure_prefix_is_recognized() -> None:
    assert read("/openai/models").is_fronted and read("/v1/openai/x").is_fronted
    assert not read("/anthropic/v1/models").is_fronted and not read("/v1/models/openai").is_fronted
