import pytest

from softix_proxy.domain.catalog.request_headers import NEVER, checked_header


@pytest.mark.parametrize("name", ["X-Thing", "helicone-property-app", "x-grok-conv-id", "x-trace_id"])
def test_checked_header_with_harmless_header_returns_it_in_lower_case(name: str) -> None:
    assert checked_header(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        *sorted(NEVER),
        "authorization",
        "Proxy-Authorization",
        "x-api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
        "x-litellm-key",
        "x-amz-security-token",
        "cookie",
        "set-cookie",
        "x-auth",
        "openai-organization",
        "openai-project",
        "x-goog-user-project",
        "chatgpt-account-id",
        "anthropic-workspace-id",
        "anthropic-user-profile-id",
        "X-Vertex-AI-LLM-Shared-Request-Type",
        "X-Amzn-Bedrock-PerformanceConfig-Latency",
        "x-forwarded-for",
        "x-softix-anything",
        "sec-websocket-protocol",
        "two words",
        "x-thing:",
        "x-thing\r\nhost",
        "",
    ],
)
def test_checked_header_with_header_that_identifies_the_payer_or_sets_a_price_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        checked_header(name)
