"""Reads OpenAI's costs and usage: the responses of its API as JSON, and the dashboard's CSV.

Shapes: https://platform.openai.com/docs/api-reference/usage (`organization/costs`, `organization/usage/completions`).
Amounts are US dollars, and buckets are days in UTC. If costs are grouped by `line_item`, it has the model and the
counted quantity: `gpt-4o-2024-08-06, cached input`. Input and output tokens include cached and audio tokens.
"""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
from softix_proxy.imports import values
from softix_proxy.imports.forms import CsvBillLayout
from softix_proxy.imports.pages import Bucket, Pages

_TOKENS = ("input_tokens", "output_tokens")


def model_of(line_item: str) -> str:
    """Returns the model of a line item.

    Examples: `gpt-4o-2024-08-06, input` → `gpt-4o-2024-08-06`, `Web search calls | gpt-4o` → `gpt-4o`.
    """
    return line_item.rpartition("|")[2].partition(",")[0].strip() or line_item


def cost(result: dict[str, Any], bucket: Bucket, place: values.FilePosition) -> ProviderBillLine:
    """Reads a cost. Its amount is a number, or in newer files a decimal as text.

    A missing amount is refused, and is not zero.
    """
    amount = result.get("amount")
    if not isinstance(amount, dict):
        raise place._replace(column="amount").wrong("there is no amount")
    values.currency(amount.get("currency"), place._replace(column="amount.currency"))
    pico, step_pico = values.amount(amount.get("value"), place._replace(column="amount.value"))
    item = values.name(result.get("line_item"), place._replace(column="line_item"))
    return ProviderBillLine(bucket.day, model_of(item) if item else None, pico, None, step_pico)


def usage(result: dict[str, Any], bucket: Bucket, place: values.FilePosition) -> ProviderBillLine:
    counts = [values.tokens(result.get(name), place._replace(column=name)) for name in _TOKENS]
    model = values.name(result.get("model"), place._replace(column="model"))
    return ProviderBillLine(bucket.day, model, None, sum(counts), 1)


COSTS_JSON = Pages("OpenAI's costs", "start_time", "end_time", cost)
USAGE_JSON = Pages("OpenAI's usage", "start_time", "end_time", usage)
COSTS_CSV = CsvBillLayout(
    title="OpenAI's costs",
    date=("start_time", "start_time_iso"),
    end=("end_time", "end_time_iso"),
    model=("line_item",),
    amount=("amount_value",),
    currency=("amount_currency",),
    model_of=model_of,
    marks=("amount_value", "amount_currency"),
)
USAGE_CSV = CsvBillLayout(
    title="OpenAI's usage",
    date=("start_time", "start_time_iso"),
    end=("end_time", "end_time_iso"),
    model=("model",),
    tokens=_TOKENS,
    marks=("num_model_requests", "input_tokens"),
)
