from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.demo.text import ANSWER, NamedTool, compose, count, example, forced_tool, pieces


@given(st.text())
def test_pieces_of_a_text_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert count(text) == len(pieces(text)) <= len(text)


def test_count_includes_texts_and_token_ids_but_not_numbers_of_settings() -> None:
    assert count([{"role": "user", "content": "hello there", "weight": 7}, None]) == 3
    assert count([[1, 2], [3]]) == 3


def test_answer_with_a_limit_is_cut_at_it() -> None:
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
def test_forced_tool_of_a_choice_is_the_one_named(choice: Any, name: str | None) -> None:
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
def test_example_of_a_schema_has_its_required_values(schema: Any, value: Any) -> None:
    assert example(schema) == value
