import io
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from support.posted import ROW

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.money import MAX_PICO, format_usd
from softix_proxy.exports.metering import parquet_usage
from softix_proxy.exports.metering.columns import COLUMNS, ColumnValue, fields, format_factor
from softix_proxy.exports.metering.parquet_usage import ParquetUsage

ROWS = [
    replace(ROW, id=ROW.id + 1, cost_pico=MAX_PICO, charge_pico=-MAX_PICO, note="=1\n", model_served="é🦊"),
    replace(ROW, id=ROW.id + 2, markup=Fraction(100000001, 100000000), meters={}, price_id=None, ttfb_ms=7),
    ROW,
]


def read(*pieces: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(b"".join(pieces)))


def as_csv_has_it(name: str, value: Any) -> ColumnValue:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if name in ("request_fee", "provider_cost", "charge"):
        return format_usd(int(value.scaleb(12)))
    return format_factor(Fraction(value)) if name == "markup" else value


def test_parquet_file_read_again_contains_the_same_rows() -> None:
    writer = ParquetUsage()
    found = read(writer.feed(ROWS[:2]), writer.feed(ROWS[2:]), writer.end()).to_pylist()
    assert [{name: as_csv_has_it(name, value) for name, value in row.items()} for row in found] == [
        fields(row) for row in ROWS
    ]


def test_parquet_columns_have_exact_decimals_and_times_with_a_zone() -> None:
    writer = ParquetUsage()
    table = read(writer.feed(ROWS), writer.end())
    assert table.column_names == [column.name for column in COLUMNS]
    types = {field.name: str(field.type) for field in table.schema}
    assert types["charge"] == types["provider_cost"] == "decimal128(38, 12)"
    assert types["posted_at"] == types["usage_at"] == "timestamp[us, tz=UTC]"
    assert (types["stream"], types["input_tokens"], types["note"]) == ("bool", "int64", "string")
    assert table["charge"][0].as_py().scaleb(12) == -MAX_PICO
    assert table["posted_at"][2].as_py() == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ROW.id)


def test_parquet_rows_are_written_in_groups_as_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_usage, "ROWS_A_GROUP", 4)
    writer = ParquetUsage()
    pieces = [writer.feed(ROWS) for _ in range(5)] + [writer.end()]
    assert all(pieces[1::2]), "what is written is given out, and not kept"
    file = pyarrow.parquet.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (15, 5)


def test_parquet_file_without_rows_is_valid() -> None:
    assert read(ParquetUsage().end()).num_rows == 0


def test_parquet_writer_without_pyarrow_raises_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FailureError) as missing:
        ParquetUsage()
    assert "softix-proxy[parquet]" in missing.value.remedy
