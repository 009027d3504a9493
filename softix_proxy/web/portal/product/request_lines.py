"""The lines of a table of requests, from usage rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, total


class RequestLine(NamedTuple):
    request_id: str
    posted_at_us: int
    model: str
    provider: str
    key_id: str
    key: str
    """The key's label, or the first letters of the key."""
    tokens_in: int
    tokens_out: int
    charge_pico: int
    status_code: int
    error: str | None
    is_correction: bool


def request_lines(rows: Iterable[UsageRow], labels: Mapping[str, str]) -> Sequence[RequestLine]:
    """Returns one line for each row. `labels` are those of the organisation's keys, by their public ids."""
    return [
        RequestLine(
            request_id=format_request_id(row.request_id),
            posted_at_us=row.id,
            model=row.model,
            provider=row.provider,
            key_id=row.key_public_id,
            key=labels.get(row.key_public_id) or f"{row.key_prefix}…",
            tokens_in=total(row.meters, INPUT_METERS),
            tokens_out=total(row.meters, OUTPUT_METERS),
            charge_pico=row.charge_pico,
            status_code=row.status_code,
            error=row.error,
            is_correction=row.corrects_row_id is not None,
        )
        for row in rows
    ]
