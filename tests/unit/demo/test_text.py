from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.demo.text import ANSWER, NamedTool, compose, count, example, forced_tool, pieces


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert count(text) == len(pieces(text)) <= len(text)


def test_counts_text_and_token_ids_but_not_numbers_that_are_settings() -> None:
    assert count([{"role": "user", "content": "hello there", "weight": 7}, None]) == 3
    assert count([[1, 2], [3]]) == 3


def test_the_answer_is_cut_at_the_limit() -> None:
    assert compose(10_000, None).text == ANSWER and compose(10_000, None).complete
    cut = compose(3, None)
    assert len(cut.pieces) == 3 and not cut.complete and ANSWER.startswith(cut.text)


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (None, None),
        ("auto", None),
        ("required", "a"),
        ({"type": "function", "name": "b"}, "b"),
        ({"type": "function", "function": {"name": "b"}}, "b"),
        ({"type": "function", "name": "c"}, None),
        ({"type": ["?"], "function": 1}, None),
    ],
)
def test_which_tool_is_forced(choice: Any, name: str | None) -> None:
    tool = forced_tool(iter([NamedTool("a", {}), NamedTool("b", {})]), choice, ("required",))
    assert (tool and tool.name) == name


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (None, {}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"required": ["a", "b"], "properties": {"a": {"enum": ["x"]}, "b": {"type": "array"}}}, {"a": "x", "b": []}),
        (
            {"required": ["a"], "properties": {"a": {"required": ["n"], "properties": {"n": {"type": "number"}}}}},
            {"a": {"n": 1}},
        ),
        ({"required": [1, "z"], "properties": {}}, {"z": {}}),
    ],
)
def test_arguments_that_fit(schema: Any, value: Any) -> None:
    assert example(schema) == value
