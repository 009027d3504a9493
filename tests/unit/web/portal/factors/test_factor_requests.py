from typing import Any

from softix_proxy.operations.accounts.factors import Origin
from softix_proxy.web.portal.core.page import PageRequest
from softix_proxy.web.portal.factors.factor_requests import origin_of


def test_request_tells_where_it_comes_from() -> None:
    nothing: Any = None
    request = PageRequest(
        "/", {}, {}, {}, 1, "192.0.2.7", "Firefox on Linux", nothing, nothing, nothing, nothing, nothing, nothing
    )
    assert origin_of(request) == Origin("192.0.2.7", "Firefox on Linux")
