"""Reads the CSV exports of Azure and AWS about a whole account. Only the rows of AI models count.

Azure's file is the cost details file,
https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields. Its dates are
MM/DD/YYYY in most agreements, and the model is in the meter's name. AWS has cost and usage reports of version 1
(`lineItem/UsageStartDate`) and 2 (`line_item_usage_start_date`), https://docs.aws.amazon.com/cur/latest/userguide/.
Bedrock's usage types are like `USE1-Claude4.6Sonnet-input-tokens`. Both name models differently from their APIs.
"""

from __future__ import annotations

import re
from dataclasses import replace

from softix_proxy.imports.forms import CsvBillLayout

_METER_TAIL = re.compile(
    r"[ -](?:batch|cached|cchd|cd|inpt?|input|outp?|opt|output|gl|glbl|regnl|rgnl|data ?zone|dz|dzone|tokens)\b.*$",
    re.IGNORECASE,
)
_REGION = re.compile(r"^[A-Z]{2,4}\d{1,2}-")
_USAGE_TAIL = re.compile(
    r"-(?:mantle-)?(?:input|output|cache-read|cache-write|image|audio|video|text|search|custom|batch)\b.*$",
    re.IGNORECASE,
)


def model_of_meter(name: str) -> str:
    """Returns the model in a meter's name: `gpt 4o 0806 cached Inp glbl Tokens` → `gpt 4o 0806`."""
    return _METER_TAIL.sub("", name) or name


def model_of_usage_type(name: str) -> str:
    """Returns the model in a usage type: `USE1-Claude4.6Sonnet-input-tokens` → `Claude4.6Sonnet`."""
    return _USAGE_TAIL.sub("", _REGION.sub("", name)) or name


AZURE = CsvBillLayout(
    title="Azure's cost details",
    date=("date",),
    model=("metername",),
    amount=("costinbillingcurrency", "cost"),
    currency=("billingcurrency", "billingcurrencycode"),
    only={"consumedservice": ("microsoft.cognitiveservices",), "chargetype": ("usage",)},
    model_of=model_of_meter,
    marks=("metername", "consumedservice"),
)
AZURE_USD = replace(AZURE, amount=("costinusd",), currency=(), marks=(*AZURE.marks, "costinusd"))
"""The layout of files that also have the cost in US dollars, whatever the currency of the bill."""
_BEDROCK = ("*bedrock*",)
AWS_1 = CsvBillLayout(
    title="AWS's cost and usage report",
    date=("lineitem/usagestartdate",),
    end=("lineitem/usageenddate",),
    model=("lineitem/usagetype",),
    amount=("lineitem/unblendedcost",),
    currency=("lineitem/currencycode",),
    only={"lineitem/productcode": _BEDROCK, "lineitem/lineitemtype": ("usage", "discountedusage")},
    model_of=model_of_usage_type,
    marks=("lineitem/usagestartdate", "lineitem/unblendedcost"),
)
AWS_2 = replace(
    AWS_1,
    title="AWS's cost and usage report 2",
    date=("line_item_usage_start_date",),
    end=("line_item_usage_end_date",),
    model=("line_item_usage_type",),
    amount=("line_item_unblended_cost",),
    currency=("line_item_currency_code",),
    only={"line_item_product_code": _BEDROCK, "line_item_line_item_type": ("usage", "discountedusage")},
    marks=("line_item_usage_start_date", "line_item_unblended_cost"),
)
