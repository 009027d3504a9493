"""Defines the columns of a usage export: names, order, and how each value is written.

Users rely on the names and the order.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.domain.pricing.meters import METERS

ColumnValue = str | int | None


class ColumnKind(Enum):
    NUMBER = auto()
    """A whole number, or true or false."""
    CODE = auto()
    """Softix's own text without special characters: ids, instants, exact decimals, fixed words."""
    TEXT = auto()
    """A name or note, which may hold any character."""


class UsageColumn(NamedTuple):
    name: str
    kind: ColumnKind
    value: Callable[[UsageRow], ColumnValue]


def format_factor(factor: Fraction) -> str:
    """Formats a mark-up: `43/40` → `1.075`. The text is exact, because a mark-up has at most eight decimals."""
    whole, rest = divmod(factor.numerator, factor.denominator)
    decimals = f"{rest * 10**8 // factor.denominator:08d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def _meter(name: str) -> UsageColumn:
    return UsageColumn(name, ColumnKind.NUMBER, lambda row: row.meters.get(name))


COLUMNS = (
    UsageColumn("row_id", ColumnKind.NUMBER, lambda row: row.id),
    UsageColumn("posted_at", ColumnKind.CODE, lambda row: format_instant(row.id)),
    UsageColumn("usage_at", ColumnKind.CODE, lambda row: format_instant(row.usage_at_us)),
    UsageColumn("request_id", ColumnKind.CODE, lambda row: format_request_id(row.request_id)),
    UsageColumn("user_id", ColumnKind.CODE, lambda row: row.user_public_id),
    UsageColumn("user_name", ColumnKind.TEXT, lambda row: row.user_name),
    UsageColumn("key_id", ColumnKind.CODE, lambda row: row.key_public_id),
    UsageColumn("key_prefix", ColumnKind.CODE, lambda row: row.key_prefix),
    UsageColumn("provider", ColumnKind.TEXT, lambda row: row.provider),
    UsageColumn("model", ColumnKind.TEXT, lambda row: row.model),
    UsageColumn("model_served", ColumnKind.TEXT, lambda row: row.model_served),
    UsageColumn("endpoint", ColumnKind.CODE, lambda row: row.endpoint),
    UsageColumn("stream", ColumnKind.NUMBER, lambda row: row.stream),
    *(_meter(name) for name in METERS),
    UsageColumn("service_tier", ColumnKind.TEXT, lambda row: row.service_tier),
    UsageColumn("price_version", ColumnKind.NUMBER, lambda row: row.price_id),
    UsageColumn("markup", ColumnKind.CODE, lambda row: format_factor(row.markup)),
    UsageColumn("request_fee", ColumnKind.CODE, lambda row: format_usd(row.fee_pico)),
    UsageColumn("provider_cost", ColumnKind.CODE, lambda row: format_usd(row.cost_pico)),
    UsageColumn("charge", ColumnKind.CODE, lambda row: format_usd(row.charge_pico)),
    UsageColumn("currency", ColumnKind.CODE, lambda row: CURRENCY),
    UsageColumn("status_code", ColumnKind.NUMBER, lambda row: row.status_code),
    UsageColumn("error", ColumnKind.CODE, lambda row: row.error),
    UsageColumn("latency_ms", ColumnKind.NUMBER, lambda row: row.latency_ms),
    UsageColumn("ttfb_ms", ColumnKind.NUMBER, lambda row: row.ttfb_ms),
    UsageColumn("usage_source", ColumnKind.CODE, lambda row: row.source.value),
    UsageColumn("attempts", ColumnKind.NUMBER, lambda row: row.attempts),
    UsageColumn("note", ColumnKind.TEXT, lambda row: row.note),
    UsageColumn("corrects_row_id", ColumnKind.NUMBER, lambda row: row.corrects_row_id),
    UsageColumn("tags", ColumnKind.CODE, lambda row: row.tags or None),
    UsageColumn("end_user", ColumnKind.CODE, lambda row: row.end_user or None),
)


def fields(row: UsageRow) -> dict[str, ColumnValue]:
    """Returns the row under the names of the export. Every JSON output about a row uses it."""
    return {column.name: column.value(row) for column in COLUMNS}
