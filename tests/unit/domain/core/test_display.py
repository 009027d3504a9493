import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.display import as_json, is_one_line, visible, visible_lines

values = st.recursive(
    st.text(st.characters()) | st.integers() | st.none(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
)
ACTS = [
    ("\x1b[2J", "\\x1b[2J"),
    ("\x9b31m", "\\x9b31m"),
    ("a\nb\r\tc", "a\\nb\\r\\tc"),
    ("\x07\x00\x7f", "\\x07\\x00\\x7f"),
    ("abc\u202etxt", "abc\\u202etxt"),
    ("\u2066x\u2069", "\\u2066x\\u2069"),
    ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    ("a\u200bd\ufeffa", "a\\u200bd\\ufeffa"),
    ("\u3164", "\\u3164"),
    ("\U000e0041", "\\U000e0041"),
    ("\udc80", "\\udc80"),
]
"""Text that acts on a terminal or hides, and how it is shown."""


@pytest.mark.parametrize(("text", "shown"), ACTS)
def test_text_that_acts_is_shown_escaped_and_refused_at_the_door(text: str, shown: str) -> None:
    assert visible(text) == shown and not is_one_line(text)


@pytest.mark.parametrize(
    "text", ["", "Ada Lovelace", "naïve café → 10 €", "山田太郎　様", "مرحبا", "👍🏽", "a\\x1b", "№ 5\u00a0kg"]
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == visible_lines(text) == text and is_one_line(text)


def test_lines_and_columns_stay_where_several_lines_are_shown() -> None:
    assert visible_lines("a\tb\x1bc\nd\u2028e") == "a\tb\\x1bc\nd\\u2028e"


@given(st.text(st.characters()))
def test_shown_text_has_no_character_that_acts(text: str) -> None:
    for shown in (visible(text), visible_lines(text).replace("\n", "").replace("\t", "")):
        assert all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in shown)


@given(values)
def test_json_means_the_same_and_has_no_character_that_acts(value: object) -> None:
    text = as_json(value)
    assert json.loads(text) == value
    assert all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text)
