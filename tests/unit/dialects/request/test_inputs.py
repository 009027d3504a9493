from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.request import fields
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.inputs import EACH_ADDS_TOKENS, TEMPLATE_TOKENS, Inputs, read_inputs

MANY = 60_000
"""As many elements as make a list too heavy to be decoded, with their commas and brackets."""


def count(value: Any) -> Inputs:
    body = json.dumps({"input": value}, separators=(",", ":")).encode()
    return read_inputs(JsonMembers(body, frozenset(("input",))), "input")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", Inputs(1)),
        (None, Inputs(1)),
        ([], Inputs(1)),
        (["a"], Inputs(1)),
        (["a", "b"], Inputs(2)),
        ([1, 2, 3], Inputs(1)),
        ([[1, 2], [3]], Inputs(2)),
        (["a", 1, 2], Inputs(2)),
        ({"text": "a"}, Inputs(1, text_only=False)),
        ([{"image": "https://a.example/b.png"}, "a"], Inputs(2, text_only=False)),
        ([True, None, 1.5], Inputs(3, text_only=False)),
        ("a" * 5_000_000, Inputs(1)),
        (["a" * 3_000_000, "b" * 3_000_000], Inputs(2)),
        ([1] * 200_000, Inputs(1)),
        ([[1, 2]] * MANY, Inputs(MANY + 1)),
        ([{"image": "x" * 3_000_000}, {"image": "y" * 3_000_000}], Inputs(2, text_only=False)),
        ({"image": "x" * 5_000_000}, Inputs(1, text_only=False)),
    ],
)
def test_inputs_of_each_shape_are_counted(value: Any, expected: Inputs) -> None:
    assert count(value) == expected


def test_inputs_of_a_list_with_too_many_are_bounded_by_its_size() -> None:
    texts, objects = count(["a,b"] * MANY), count([{}] * MANY)
    assert not texts.counted and texts.text_only and texts.number >= MANY
    assert not objects.counted and not objects.text_only and objects.number >= MANY


def test_inputs_that_are_absent_are_one() -> None:
    assert read_inputs(JsonMembers(b"{}", frozenset(("input",))), "input") == Inputs(1)


def test_most_tokens_are_those_of_the_bytes_and_what_each_text_gets() -> None:
    assert Inputs(1).most_tokens(1000) == 1000 + TEMPLATE_TOKENS
    assert Inputs(11).most_tokens(1000) == 1000 + TEMPLATE_TOKENS + 10 * EACH_ADDS_TOKENS


@given(
    st.lists(
        st.text(max_size=4)
        | st.integers(0, 99)
        | st.lists(st.integers(0, 99), max_size=3)
        | st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_inputs_of_a_heavy_list_are_bounded_as_those_of_a_light_one(value: list[Any]) -> None:
    """Whatever is not decoded is never counted as less, nor taken for text if it is not."""
    light = count(value)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fields, "_MOST_PARTS", 0)
        heavy = count(value)
    assert heavy.number >= light.number
    assert light.text_only or not heavy.text_only
