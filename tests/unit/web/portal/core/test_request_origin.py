"""Whether a form comes from a page of the portal. The rules are those of Fetch Metadata and of RFC 6454."""

from __future__ import annotations

import pytest

from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.web.portal.core.request_origin import is_own_form

URL = parse_public_url("https://portal.example.org")
OWN, OTHER = URL.origin, "https://evil.example"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": OWN},
        {"origin": OWN},
    ],
)
def test_form_of_a_page_of_the_portal_is_accepted(headers: dict[str, str]) -> None:
    assert is_own_form(headers, URL)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"referer": f"{OWN}/keys"},
        {"origin": OTHER},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://portal.example.org"},
        {"origin": f"{OWN}:8443"},
        {"origin": f"{OWN}.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "Same-Origin"},
        {"sec-fetch-site": "same-origin, cross-site"},
        {"sec-fetch-site": "cross-site", "origin": OWN},
    ],
)
def test_form_of_anything_else_is_refused(headers: dict[str, str]) -> None:
    assert not is_own_form(headers, URL)
