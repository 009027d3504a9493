from typing import Any

from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.settings import load
from softix_proxy.web.portal.core.page import PageRequest
from softix_proxy.web.portal.factors.factor_requests import origin_of, public_url_of


def test_request_tells_where_it_comes_from_and_the_site_is_that_of_the_settings(tmp_path: Any) -> None:
    settings = load(None, tmp_path, {"SOFTIX_PORTAL_PUBLIC_URL": "https://portal.example.org"})
    nothing: Any = None
    request = PageRequest(
        "GET", "/", {}, {}, {}, 1, "192.0.2.7", "Firefox on Linux", nothing, settings, nothing, hasher=nothing
    )
    assert origin_of(request) == Origin("192.0.2.7", "Firefox on Linux")
    assert public_url_of(request).origin == "https://portal.example.org"
