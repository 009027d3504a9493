"""Writes usage as Parquet: the columns of the CSV, money as exact decimals (decimal128), and instants with their zone.

It needs pyarrow, which the extra `[parquet]` installs. pyarrow is imported at the first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.exports.metering.columns import COLUMNS, ColumnKind, UsageColumn, format_factor

ROWS_A_GROUP = 65_536


@lru_cache(maxsize=256)
def _factor(markup: Fraction) -> Decimal:
    return Decimal(format_factor(markup))


def _usd(pico: int) -> Decimal:
    """Converts pico-USD exactly: 64 bits have 19 digits."""
    return Decimal(pico).scaleb(-12)


EXACT: Mapping[str, Callable[[UsageRow], object]] = {
    "posted_at": lambda row: row.id,
    "usage_at": lambda row: row.usage_at_us,
    "markup": lambda row: _factor(row.markup),
    "request_fee": lambda row: _usd(row.fee_pico),
    "provider_cost": lambda row: _usd(row.cost_pico),
    "charge": lambda row: _usd(row.charge_pico),
}
"""The values that the CSV has as text."""


class _Sink:
    """A file that collects the bytes of the writer until they are taken. The writer only appends."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, text: bytes) -> int:
        self._written.append(bytes(text))
        return len(text)

    def flush(self) -> None:
        """Does nothing, because nothing is buffered."""

    def close(self) -> None:
        """Does nothing, because there is nothing to close."""

    def taken(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


class ParquetUsage:
    """Turns rows into the pieces of one file."""

    def __init__(self) -> None:
        """Prepares the writer. Raises FailureError if pyarrow is missing."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise FailureError("parquet needs pyarrow", "pip install 'softix-proxy[parquet]'") from None
        self._arrow: Any = pyarrow
        self._schema = pyarrow.schema([(column.name, self._type(column)) for column in COLUMNS])
        self._sink = _Sink()
        self._writer = pyarrow.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._batches: list[Any] = []

    def feed(self, rows: Sequence[UsageRow]) -> bytes:
        if rows:
            arrays = [
                self._arrow.array([value(row) for row in rows], type=field.type)
                for value, field in zip(_VALUES, self._schema, strict=True)
            ]
            self._batches.append(self._arrow.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._batches) >= ROWS_A_GROUP:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        if self._batches:
            self._writer.write_table(self._arrow.Table.from_batches(self._batches), ROWS_A_GROUP)
            self._batches = []

    def _type(self, column: UsageColumn) -> Any:
        types = {
            "posted_at": self._arrow.timestamp("us", tz="UTC"),
            "usage_at": self._arrow.timestamp("us", tz="UTC"),
            "markup": self._arrow.decimal128(38, 8),
            **dict.fromkeys(("request_fee", "provider_cost", "charge"), self._arrow.decimal128(38, 12)),
            "stream": self._arrow.bool_(),
        }
        otherwise = self._arrow.int64() if column.kind is ColumnKind.NUMBER else self._arrow.string()
        return types.get(column.name, otherwise)


_VALUES = [EXACT.get(column.name, column.value) for column in COLUMNS]
