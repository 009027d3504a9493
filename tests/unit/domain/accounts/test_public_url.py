from __future__ import annotations

import pytest

from softix_proxy.domain.accounts.public_url import PublicUrl, checked_api_url, checked_policy_url, parse_public_url
from softix_proxy.domain.core.errors import BadInputError


@pytest.mark.parametrize(
    ("text", "url", "authority"),
    [
        ("https://portal.example.org", PublicUrl("https", "portal.example.org", 443), "portal.example.org"),
        ("https://Portal.Example.org/", PublicUrl("https", "portal.example.org", 443), "portal.example.org"),
        ("https://portal.example.org:8443", PublicUrl("https", "portal.example.org", 8443), "portal.example.org:8443"),
        ("http://localhost:8485", PublicUrl("http", "localhost", 8485), "localhost:8485"),
        ("http://127.0.0.1:80", PublicUrl("http", "127.0.0.1", 80), "127.0.0.1"),
        ("http://[::1]:8485", PublicUrl("http", "[::1]", 8485), "[::1]:8485"),
        ("https://203.0.113.9", PublicUrl("https", "203.0.113.9", 443), "203.0.113.9"),
    ],
)
def test_public_url_is_scheme_host_and_port(text: str, url: PublicUrl, authority: str) -> None:
    assert parse_public_url(text) == url
    assert url.authority == authority
    assert url.origin == f"{url.scheme}://{authority}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "portal.example.org",
        "ftp://portal.example.org",
        "https://",
        "https://portal.example.org/portal",
        "https://portal.example.org?a=b",
        "https://portal.example.org#a",
        "https://ada@portal.example.org",
        "https://portal.example.org:0",
        "https://portal.example.org:65536",
        "https://portal example.org",
        "https://portal.example.org\n",
        "https://münchen.example",
    ],
)
def test_public_url_that_is_no_plain_address_of_a_site_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not the address of a site"):
        parse_public_url(text)


@pytest.mark.parametrize("host", ["portal.example.org", "192.168.1.5", "localhost.example.org", "[2001:db8::1]"])
def test_public_url_of_plain_http_that_is_not_this_machine_is_refused(host: str) -> None:
    with pytest.raises(BadInputError, match="plain http") as refused:
        parse_public_url(f"http://{host}")
    assert "https://" in refused.value.remedy


@pytest.mark.parametrize("host", ["portal.example.org", "PORTAL.example.org", "portal.example.org:443"])
def test_host_header_of_the_public_url_names_it(host: str) -> None:
    assert parse_public_url("https://portal.example.org").is_named_by(host)


@pytest.mark.parametrize(
    "host", [None, "", "example.org", "portal.example.org.", "portal.example.org:80", "portal.example.org:8443", "evil"]
)
def test_other_host_header_does_not_name_it(host: str | None) -> None:
    assert not parse_public_url("https://portal.example.org").is_named_by(host)


@pytest.mark.parametrize("url", ["https://api.example.org", "http://10.0.0.5:8484/", "http://[fd00::1]:8484"])
def test_address_of_a_site_is_accepted_for_the_api(url: str) -> None:
    assert checked_api_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "api.example.org",
        "https://api.example.org/v1",
        "https://api.example.org:65536",
        "https://api.example.org:0",
        "ftp://a",
        "https://a b",
        "https://a@b",
        "javascript:x",
        "",
    ],
)
def test_anything_else_is_no_address_of_the_api(url: str) -> None:
    with pytest.raises(ValueError, match="site"):
        checked_api_url(url)


@pytest.mark.parametrize("text", ["https://example.org", "https://example.org/terms/2026-11?lang=en"])
def test_address_of_a_published_text_is_accepted(text: str) -> None:
    assert checked_policy_url(text) == text


@pytest.mark.parametrize("text", ["http://example.org/terms", "javascript:alert(1)", "https://", 'https://a"b', ""])
def test_other_address_of_a_published_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        checked_policy_url(text)
