import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.exports.core import csv_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t=1", " =1"),
        ("a=1", "a=1"),
        ("a\r\nb", "a b"),
        (None, ""),
    ],
)
def test_csv_text_with_a_formula_or_line_break_is_escaped(value: str | None, shown: str) -> None:
    assert csv_text.text(value) == shown


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_csv_line_with_any_values_is_read_back_unchanged(values: list[str]) -> None:
    values = [value.replace("\x00", "") for value in values]
    line = csv_text.line(["x", *values]).decode()
    assert list(csv.reader(io.StringIO(line, newline=""), strict=True)) == [["x", *values]]
    assert line.endswith("\r\n")


@given(st.text(st.characters(codec="utf-8")))
def test_csv_text_of_any_value_is_no_formula_and_has_one_line(value: str) -> None:
    shown = csv_text.text(value)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert len(shown.splitlines()) <= 1
