from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.translate import wire
from softix_proxy.domain.errors import RefusedError


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"\\ud800"', b"\xff{}", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        wire.read_object(body)
    assert wire.seen_object(body) is None


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (wire.text, ["", "a"], [1, [], {}]),
        (wire.flag, [True, False], [0, "true"]),
        (wire.whole, [0, -1, 3.0], [1.5, "1", True]),
        (wire.number, [0, 1.5], ["1", True]),
        (wire.child, [{}, {"a": 1}], [[], "a"]),
        (wire.children, [[], [{}]], [{}, [1]]),
        (wire.texts, [[], ["a"]], ["a", [1]]),
    ],
)
def test_a_client_is_told_what_a_member_must_be(read: Callable[..., Any], good: list[Any], bad: list[Any]) -> None:
    assert [read({"a": value}, "a") for value in good] == good
    assert not read({"a": None}, "a")
    assert not read({}, "a")
    for value in bad:
        with pytest.raises(RefusedError, match="`a` must be"):
            read({"a": value}, "a")


def test_a_provider_is_taken_as_it_is() -> None:
    odd = {"a": 1, "b": "x", "c": -1, "d": [1, {"e": 2}]}
    assert (wire.seen_text(odd, "a"), wire.seen_text(odd, "b")) == ("", "x")
    assert (wire.seen_count(odd, "a"), wire.seen_count(odd, "c"), wire.seen_count({"a": True}, "a")) == (1, None, None)
    assert wire.seen_children(odd, "d") == [{"e": 2}]
    assert wire.seen_child(odd, "b") == {}


def test_only_what_says_something_counts_as_more() -> None:
    known = wire.names("a b")
    assert not wire.rest({"a": 1, "c": None, "d": [], "e": False}, known)
    assert wire.rest({"a": 1, "c": 0}, known)


def test_what_says_nothing_is_left_out() -> None:
    given = {"a": None, "b": "", "c": [], "d": 0, "e": False, "f": {}}
    assert wire.said(given) == {"d": 0, "e": False}


def test_arguments_that_are_no_object() -> None:
    assert wire.arguments_object('{"a":1}') == {"a": 1}
    assert wire.arguments_object(" ") == {}
    assert wire.arguments_object('{"a":') == {"INVALID_JSON": '{"a":'}
