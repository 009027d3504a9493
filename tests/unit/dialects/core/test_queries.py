import pytest

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.core.queries import passing


@pytest.mark.parametrize(
    ("family", "query", "passed"),
    [
        ("anthropic", "beta=true", "beta=true"),
        ("openai", "api-version=preview&model=dear", "api-version=preview"),
        ("gemini", "alt=sse&prettyPrint=false", "alt=sse&prettyPrint=false"),
        ("anthropic", "fields=content&beta=true&&x", "beta=true"),
        ("openai", "fields=choices&%24fields=choices&userProject=other&deployment=dear", ""),
        ("anthropic", "%62eta=true&Beta=true", ""),
        ("openai", "beta=true", ""),
    ],
)
def test_query_with_unlisted_parameters_loses_them(family: Family, query: str, passed: str) -> None:
    assert passing(query, family) == passed
