import pytest

from softix_proxy.domain.access.portal_section import checked_api_url


@pytest.mark.parametrize("url", ["https://api.example.org", "http://10.0.0.5:8484/", "http://[fd00::1]:8484"])
def test_address_of_a_site_is_accepted(url: str) -> None:
    assert checked_api_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["api.example.org", "https://api.example.org/v1", "ftp://a", "https://a b", "https://a@b", "javascript:x", ""],
)
def test_anything_else_is_no_address_of_the_api(url: str) -> None:
    with pytest.raises(ValueError, match="site"):
        checked_api_url(url)
