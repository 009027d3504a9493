"""Values in a line, as RFC 4180 and RFC 8259 have them; `tests/contract/test_usage_lines.py` compares with SQL."""

import csv
import io
import json
from dataclasses import replace

import pytest
from support.posted import ROW

from softix_proxy.exports.metering import csv_usage, jsonl_usage
from softix_proxy.exports.metering.columns import ColumnKind, UsageColumn, fields
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout


def line(value: object, encoding: Encoding) -> str:
    column = UsageColumn("x", ColumnKind.TEXT, lambda row: value)  # type: ignore[arg-type, return-value]
    return Layout("", (Cell("<", column, encoding),), ">").lines([ROW]).decode()


@pytest.mark.parametrize(
    ("encoding", "value", "expected"),
    [
        (Encoding.BARE, None, ""),
        (Encoding.BARE, -7, "-7"),
        (Encoding.BARE, True, "true"),
        (Encoding.BARE, "req_1", "req_1"),
        (Encoding.CSV_TEXT, None, '""'),
        (Encoding.CSV_TEXT, 'a"b', '"a""b"'),
        (Encoding.CSV_TEXT, "-b", '"\'-b"'),
        (Encoding.JSON_BARE, None, "null"),
        (Encoding.JSON_BARE, False, "false"),
        (Encoding.JSON_BARE, 0, "0"),
        (Encoding.JSON_TEXT, None, "null"),
        (Encoding.JSON_TEXT, 'é"\n', '"é\\"\\n"'),
    ],
)
def test_layout_value_with_each_encoding_is_encoded(encoding: Encoding, value: object, expected: str) -> None:
    assert line(value, encoding) == f"<{expected}>"


def test_csv_lines_read_again_contain_the_fields_of_the_row() -> None:
    row = replace(ROW, note='=1, "x"\r\n')
    [header, read] = csv.reader(
        io.StringIO(csv_usage.LAYOUT.header + csv_usage.LAYOUT.lines([row]).decode(), newline="")
    )
    assert dict(zip(header, read, strict=True))["note"] == '\'=1, "x"\r\n'
    assert dict(zip(header, read, strict=True))["charge"] == "25.00"


def test_json_lines_read_again_contain_the_fields_of_the_row() -> None:
    first, second = jsonl_usage.LAYOUT.lines([ROW, replace(ROW, model_served="x")]).decode().splitlines()
    assert json.loads(first) == fields(ROW) and json.loads(second)["model_served"] == "x"


def test_layout_without_rows_returns_no_line() -> None:
    assert csv_usage.LAYOUT.lines([]) == b""
