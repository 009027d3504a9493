from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical import json_values
from softix_proxy.domain.core.errors import RefusedError


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"\\ud800"', b"\xff{}", b"[" * 100_000])
def test_read_object_with_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        json_values.read_object(body)
    assert json_values.seen_object(body) is None


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (json_values.text, ["", "a"], [1, [], {}]),
        (json_values.flag, [True, False], [0, "true"]),
        (json_values.whole, [0, -1, 3.0], [1.5, "1", True]),
        (json_values.number, [0, 1.5], ["1", True]),
        (json_values.child, [{}, {"a": 1}], [[], "a"]),
        (json_values.children, [[], [{}]], [{}, [1]]),
        (json_values.texts, [[], ["a"]], ["a", [1]]),
    ],
)
def test_field_reader_with_a_value_of_another_type_is_refused_with_the_field_name(
    read: Callable[..., Any], good: list[Any], bad: list[Any]
) -> None:
    assert [read({"a": value}, "a") for value in good] == good
    assert not read({"a": None}, "a")
    assert not read({}, "a")
    for value in bad:
        with pytest.raises(RefusedError, match="`a` must be"):
            read({"a": value}, "a")


def test_seen_readers_with_odd_values_of_a_provider_return_only_usable_ones() -> None:
    odd = {"a": 1, "b": "x", "c": -1, "d": [1, {"e": 2}]}
    assert (json_values.seen_text(odd, "a"), json_values.seen_text(odd, "b")) == ("", "x")
    assert (
        json_values.seen_count(odd, "a"),
        json_values.seen_count(odd, "c"),
        json_values.seen_count({"a": True}, "a"),
    ) == (1, None, None)
    assert json_values.seen_children(odd, "d") == [{"e": 2}]
    assert json_values.seen_child(odd, "b") == {}


def test_rest_of_unknown_members_ignores_empty_values() -> None:
    known = json_values.names("a b")
    assert not json_values.rest({"a": 1, "c": None, "d": [], "e": False}, known)
    assert json_values.rest({"a": 1, "c": 0}, known)


def test_said_with_empty_values_leaves_them_out() -> None:
    given = {"a": None, "b": "", "c": [], "d": 0, "e": False, "f": {}}
    assert json_values.said(given) == {"d": 0, "e": False}


def test_arguments_object_with_invalid_json_keeps_the_text() -> None:
    assert json_values.arguments_object('{"a":1}') == {"a": 1}
    assert json_values.arguments_object(" ") == {}
    assert json_values.arguments_object('{"a":') == {"INVALID_JSON": '{"a":'}
