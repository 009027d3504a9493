from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.admin_commands import AdminCommand, AdminParameter
from softix_proxy.web.admin_api.values import values_of_body, values_of_query

COMMAND = AdminCommand(
    OPERATIONS["keys.update"],
    "Changes a key.",
    (
        AdminParameter("key", {"type": "string", "minLength": 1}, "", True),
        AdminParameter("period", {"type": "string", "enum": ["day", "week"]}, "", False),
        AdminParameter("free", {"type": "boolean"}, "", False),
        AdminParameter("rpm", {"type": "integer", "minimum": 1, "maximum": 9}, "", False),
        AdminParameter("share", {"type": "number", "minimum": 0.5}, "", False),
        AdminParameter("net", {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2}, "", False),
    ),
    {},
    has_version=False,
    is_versioned=False,
)


def test_query_is_read_by_the_types_of_its_parameters() -> None:
    values = values_of_query(COMMAND, "key=a%20b&free=true&rpm=3&share=0.75&net=x&net=y&period=day")
    assert values == {"key": "a b", "free": True, "rpm": 3, "share": 0.75, "net": ["x", "y"], "period": "day"}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "key is missing"),
        ("key=", "key is empty"),
        ("key=+", "key is empty"),
        ("key=a&key=b", "key is given 2 times"),
        ("key=a&free=yes", "free is not true or false"),
        ("key=a&rpm=3.5", "rpm is not a whole number"),
        ("key=a&rpm=99999999999999999999", "rpm is not a whole number"),
        ("key=a&rpm=0", "rpm is out of range"),
        ("key=a&rpm=-1", "rpm is out of range"),
        ("key=a&share=x", "share is not a number"),
        ("key=a&share=nan", "share is out of range"),
        ("key=a&net=x&net=y&net=z", "net is not a list of at most 2"),
        ("key=a&net=", "net is empty"),
        ("key=a&period=month", "period is none of its values"),
        ("key=a&other=1", "there is no parameter 'other'"),
        ("key=%ff", "the query is not UTF-8"),
        ("&".join(["key=a"] * 301), "too many parameters"),
    ],
)
def test_wrong_query_is_refused(query: str, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        values_of_query(COMMAND, query)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "key is missing"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b'{"key":Infinity}', "the body is not JSON"),
        (b'{"key":"a","key":"b"}', "the body is not JSON"),
        (b'["key"]', "the body is not a JSON object"),
        (b'{"key":null}', "key is not text"),
        (b'{"key":"a","rpm":true}', "rpm is not a whole number"),
        (b'{"key":"a","rpm":3.0}', "rpm is not a whole number"),
        (b'{"key":"a","free":1}', "free is not true or false"),
        (b'{"key":"a","net":"x"}', "net is not a list of at most 2"),
        (b'{"key":"a","net":[1]}', "net is not text"),
        (b"[" * 100_000, "the body is not JSON"),
    ],
)
def test_wrong_body_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        values_of_body(COMMAND, body)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda each: st.lists(each)))
def test_any_json_is_read_or_refused(value: Any) -> None:
    for body in (json.dumps(value), json.dumps({"key": value, "rpm": value, "net": value})):
        try:
            values_of_body(COMMAND, body.encode("utf-8", "surrogatepass"))
        except BadInputError:
            pass
