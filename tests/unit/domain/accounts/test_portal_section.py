import pytest

from softix_proxy.domain.accounts.portal_section import PortalSection


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        (None, None),
        ("https://portal.example.org", "https://portal.example.org"),
        ("https://Portal.example.org/", "https://portal.example.org"),
        ("https://portal.example.org:443", "https://portal.example.org"),
        ("http://localhost:8485/", "http://localhost:8485"),
    ],
)
def test_origin_of_the_portal_is_what_links_begin_with(public_url: str | None, origin: str | None) -> None:
    assert PortalSection(public_url=public_url).origin == origin
