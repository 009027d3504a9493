from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.core.json_array import JsonArray

values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=4)


@given(objects, st.integers(0, 2), st.booleans(), st.data())
def test_json_array_with_split_input_finds_each_object(
    items: list[Any], indent: int, plain: bool, data: st.DataObject
) -> None:
    text = json.dumps(items, indent=indent or None, ensure_ascii=plain).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=20)))
    array, found = JsonArray(10**6), []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += list(array.feed(text[start:end]))
    assert [json.loads(element) for element in found] == items


def test_json_array_with_an_object_over_the_limit_drops_it() -> None:
    array = JsonArray(10)
    assert list(array.feed(b'[{"a":"' + b"x" * 100)) == []
    assert list(array.feed(b"x" * 100 + b'"},{"b":1}]')) == [b"", b'{"b":1}']


def test_json_array_with_input_that_is_no_array_finds_nothing() -> None:
    assert list(JsonArray(100).feed(b'}}]{"a":1} "')) == []
