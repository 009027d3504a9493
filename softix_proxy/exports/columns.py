"""What a usage export says of each row: names, order, and how each value reads. Names and order are relied upon."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.usage import CURRENCY, METERS, UsageRow

Value = str | int | None


class Kind(Enum):
    NUMBER = auto()
    """A whole number, or true or false."""
    CODE = auto()
    """Text of ours that has no special character: ids, instants, exact decimals, fixed words."""
    TEXT = auto()
    """Names and notes: may hold anything."""


class Column(NamedTuple):
    name: str
    kind: Kind
    value: Callable[[UsageRow], Value]


def format_factor(factor: Fraction) -> str:
    """`43/40` → `1.075`: exact, since a mark-up has at most eight decimals."""
    whole, rest = divmod(factor.numerator, factor.denominator)
    decimals = f"{rest * 10**8 // factor.denominator:08d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def _meter(name: str) -> Column:
    return Column(name, Kind.NUMBER, lambda row: row.meters.get(name))


COLUMNS = (
    Column("row_id", Kind.NUMBER, lambda row: row.id),
    Column("posted_at", Kind.CODE, lambda row: format_instant(row.id)),
    Column("usage_at", Kind.CODE, lambda row: format_instant(row.usage_at_us)),
    Column("request_id", Kind.CODE, lambda row: format_request_id(row.request_id)),
    Column("user_id", Kind.CODE, lambda row: row.user_public_id),
    Column("user_name", Kind.TEXT, lambda row: row.user_name),
    Column("key_id", Kind.CODE, lambda row: row.key_public_id),
    Column("key_prefix", Kind.CODE, lambda row: row.key_prefix),
    Column("provider", Kind.TEXT, lambda row: row.provider),
    Column("model", Kind.TEXT, lambda row: row.model),
    Column("model_served", Kind.TEXT, lambda row: row.model_served),
    Column("endpoint", Kind.CODE, lambda row: row.endpoint),
    Column("stream", Kind.NUMBER, lambda row: row.stream),
    *(_meter(name) for name in METERS),
    Column("service_tier", Kind.TEXT, lambda row: row.service_tier),
    Column("price_version", Kind.NUMBER, lambda row: row.price_id),
    Column("markup", Kind.CODE, lambda row: format_factor(row.markup)),
    Column("request_fee", Kind.CODE, lambda row: format_usd(row.fee_pico)),
    Column("provider_cost", Kind.CODE, lambda row: format_usd(row.cost_pico)),
    Column("charge", Kind.CODE, lambda row: format_usd(row.charge_pico)),
    Column("currency", Kind.CODE, lambda row: CURRENCY),
    Column("status_code", Kind.NUMBER, lambda row: row.status_code),
    Column("error", Kind.CODE, lambda row: row.error),
    Column("latency_ms", Kind.NUMBER, lambda row: row.latency_ms),
    Column("ttfb_ms", Kind.NUMBER, lambda row: row.ttfb_ms),
    Column("usage_source", Kind.CODE, lambda row: row.source.value),
    Column("attempts", Kind.NUMBER, lambda row: row.attempts),
    Column("note", Kind.TEXT, lambda row: row.note),
    Column("corrects_row_id", Kind.NUMBER, lambda row: row.corrects_row_id),
)


def fields(row: UsageRow) -> dict[str, Value]:
    """The row under the export's names: what every JSON about it shows."""
    return {column.name: column.value(row) for column in COLUMNS}
