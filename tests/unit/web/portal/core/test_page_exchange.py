from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.assembly import read_settings
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.web.portal.core.page import Access, Answer, Content, PageRequest, PortalRoute
from softix_proxy.web.portal.core.page_exchange import PageExchange


class Context:
    storage = vault = hasher = openid = payments = None
    settings = read_settings(None, None)
    url = parse_public_url("https://portal.example.org")


async def show(request: PageRequest) -> Answer:
    return Content(b"", "text/plain")


def exchange(access: Access) -> PageExchange:
    nothing: Any = None
    context: Any = Context()
    made = PageExchange(nothing, context, "pag_1", 1, "POST", "/a", "", {"x": "y"}, "203.0.113.9", "")
    made.route, made.body, made.form = (
        PortalRoute("POST", "/a", show, access, "account.update"),
        b"a=1&a=2",
        {"a": ("1", "2")},
    )
    return made


def test_page_sees_the_last_value_of_a_field_and_all_of_them() -> None:
    request = exchange(Access.PUBLIC).page_request()
    assert (request.form, request.lists) == ({"a": "2"}, {"a": ("1", "2")})


def test_page_knows_the_public_url_that_is_served() -> None:
    assert exchange(Access.PUBLIC).page_request().url.origin == "https://portal.example.org"


def test_only_a_page_for_programs_sees_headers_and_the_body() -> None:
    assert (exchange(Access.PUBLIC).page_request().body, exchange(Access.PUBLIC).page_request().headers) == (b"", {})
    assert exchange(Access.PROGRAM).page_request().body == b"a=1&a=2"
    assert exchange(Access.PROGRAM).page_request().headers == {"x": "y"}


def test_exchange_without_a_route_has_no_chosen_one() -> None:
    made = exchange(Access.PUBLIC)
    made.route = None
    with pytest.raises(AssertionError):
        _ = made.chosen


@pytest.mark.parametrize(("method", "is_change"), [("GET", False), ("HEAD", False), ("POST", True), ("PUT", True)])
def test_everything_but_reading_is_a_change(method: str, is_change: bool) -> None:
    made = exchange(Access.PUBLIC)
    made.method = method
    assert made.is_change is is_change
