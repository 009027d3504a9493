import pytest

from softix_proxy.dialects.core.request_headers import (
    CARRIED,
    COMMON,
    FAMILIES,
    PREFIXES,
    passing,
    passing_translated,
)
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.catalog.request_headers import checked_header

LISTED = [
    COMMON,
    *FAMILIES.values(),
    *PREFIXES.values(),
    *(profile.request_headers for profile in PROFILES.values()),
]
SDKS = {
    "openai": ["openai-beta", "originator", "session_id", "conversation_id", "version"],
    "anthropic": ["anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "x-app"],
    "gemini": ["x-goog-api-client"],
}


def test_listed_header_names_are_lower_case_with_a_reason_and_allowed_to_pass() -> None:
    for names in LISTED:
        for name, reason in names.items():
            assert name == name.lower() and reason
            if name != "idempotency-key":
                checked_header(name.rstrip("-"))


@pytest.mark.parametrize("family", ["openai", "anthropic", "gemini"])
def test_headers_of_sdks_and_agents_pass_only_in_their_own_family(family: str) -> None:
    names, prefixes = passing(family)  # type: ignore[arg-type]
    assert names.issuperset([*SDKS[family], "user-agent", "traceparent", "idempotency-key"])
    assert "content-type" not in names
    assert ("x-stainless-retry-count".startswith(prefixes)) is (family != "gemini")
    others = [name for other, listed in SDKS.items() if other != family for name in listed]
    assert names.isdisjoint(others)


def test_headers_added_by_a_provider_type_or_an_operator_pass() -> None:
    assert "http-referer" in passing("openai", ProviderType.OPENROUTER).names
    assert "http-referer" not in passing("openai", ProviderType.OPENAI).names
    assert "x-thing" in passing("openai", ProviderType.OPENAI, frozenset(("x-thing",))).names


def test_headers_of_a_translated_request_are_only_the_common_ones() -> None:
    assert passing_translated("messages", ProviderType.ANTHROPIC).names == frozenset(COMMON)
    assert passing_translated("messages", ProviderType.ANTHROPIC).prefixes == ()
    for endpoint in CARRIED:
        assert "anthropic-beta" in passing_translated(endpoint, ProviderType.VERTEX).names
