from __future__ import annotations

import pytest

from softix_proxy.web.portal.core.error_pages import PageRefusedError
from softix_proxy.web.portal.core.form_body import parse_form, parse_query

FORM = "application/x-www-form-urlencoded"


def test_form_has_all_values_of_each_field() -> None:
    body = b"a=1&b=%C3%A9+x&a=2&empty=&lines=1%0D%0A2"
    assert parse_form(body, f"{FORM}; charset=utf-8") == {
        "a": ("1", "2"),
        "b": ("é x",),
        "empty": ("",),
        "lines": ("1\n2",),
    }


def test_empty_body_is_an_empty_form_of_whatever_type() -> None:
    assert parse_form(b"", "") == {}


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data; boundary=a", "text/plain"])
def test_body_of_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(PageRefusedError) as refused:
        parse_form(b"a=1", content_type)
    assert refused.value.status == 415


@pytest.mark.parametrize("body", [b"a=%ff", "a=é".encode(), b"&".join(b"a=1" for _ in range(301))])
def test_form_that_cannot_be_read_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(PageRefusedError) as refused:
        parse_form(body, FORM)
    assert (refused.value.status, str(refused.value), refused.value.__cause__) == (400, "input", None)


def test_query_has_the_last_value_of_each_parameter() -> None:
    assert parse_query("a=1&a=2&b=") == {"a": "2", "b": ""}
    assert parse_query("") == {}


def test_query_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(PageRefusedError):
        parse_query("a=%ff")
