import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports import tables


def test_table_rows_have_their_line_numbers() -> None:
    table = tables.read(io.BytesIO('\ufeffA, B \r\n1,"x\r\ny"\r\n\r\n,\r\n3,4\r\n'.encode()), "f.csv")
    assert table.columns == ["a", "b"]
    assert [(row.place.row, row.values) for row in table.rows] == [
        (2, {"a": "1", "b": "x\r\ny"}),
        (5, {"a": "3", "b": "4"}),
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "f.csv is empty"),
        (b"a,A\n1,2\n", "f.csv, row 1: two columns are called 'a'"),
        (b"a,b\n1\n", "f.csv, row 2: 1 values under 2 columns"),
        (b'a,b\n1,"2\n', "not CSV"),
        (b'a,b\n1,"2"x\n', "not CSV"),
        (b"a,b\n1,\xff\n", "f.csv, line 2: not UTF-8"),
        (b"a\n" + b"x" * (tables.MOST_LINE_BYTES + 5), "f.csv, line 2: too long"),
        (b"a\n" + b"x" * 200_000 + b"\n", "not CSV"),
        (b",".join(b"%d" % number for number in range(2001)), "too many columns"),
    ],
)
def test_text_that_is_no_table_is_refused_in_one_line(raw: bytes, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        list(tables.read(io.BytesIO(raw), "f.csv").rows)
    assert told in caught.value.message
    assert "\n" not in caught.value.message


def test_table_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_FILE_BYTES", 20)
    with pytest.raises(BadInputError, match="line 4: too long"):
        list(tables.read(io.BytesIO(b"a\n12345678\n12345678\n12345678\n"), "f.csv").rows)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_table_or_refused(raw: bytes) -> None:
    try:
        table = tables.read(io.BytesIO(raw), "f.csv")
        assert all(set(row.values) == set(table.columns) for row in table.rows)
    except BadInputError as error:
        assert error.message.startswith("f.csv")
