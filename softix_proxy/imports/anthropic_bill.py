"""Reads Anthropic's costs: the cost report of its admin API as JSON, and the console's CSV.

Shapes: https://platform.claude.com/docs/en/api/admin/cost_report. The API's amounts are decimal text in **cents**, and
the CSV's are dollars. Days are UTC. The CSV names models by their titles (`Claude Haiku 4.5`).
"""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
from softix_proxy.imports import values
from softix_proxy.imports.forms import CsvBillLayout
from softix_proxy.imports.pages import Bucket, Pages

_CENTS = 100


def cost(result: dict[str, Any], bucket: Bucket, place: values.FilePosition) -> ProviderBillLine:
    values.currency(result.get("currency"), place._replace(column="currency"))
    pico, step_pico = values.amount(result.get("amount"), place._replace(column="amount"), _CENTS)
    model = values.name(result.get("model"), place._replace(column="model"))
    return ProviderBillLine(bucket.day, model, pico, None, step_pico)


COSTS_JSON = Pages("Anthropic's cost report", "starting_at", "ending_at", cost)
COSTS_CSV = CsvBillLayout(
    title="Anthropic's costs",
    date=("usage_date_utc",),
    model=("model",),
    amount=("cost_usd",),
    marks=("usage_date_utc", "cost_usd"),
)
