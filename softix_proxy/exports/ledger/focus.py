"""Writes FOCUS, the FinOps cost and usage format, with the columns of 1.2 and the names of host and seller of 1.3.

A payment is a Purchase with an EffectiveCost of 0. Usage is covered by it, so its BilledCost is 0. An operator's
adjustment is a Credit or an Adjustment. So the sum of BilledCost minus the sum of EffectiveCost is the balance of the
wallets. Specification: https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

from softix_proxy.domain.core.clock import format_instant, from_us
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.core import csv_text
from softix_proxy.exports.ledger.accounts import PLAIN, AccountNames, title
from softix_proxy.exports.ledger.form import ExportFormat, ExportOptions, FilePiece, Granularity

_USAGE = ("charge", "correction")
_UNITS: Mapping[Granularity, str] = {"row": "Requests", "day": "Days", "month": "Months"}
_SKU = "prepaid balance"
_FREE = "0.00"


@dataclass
class _Row:
    posting: Posting
    options: ExportOptions

    @property
    def is_usage(self) -> bool:
        return self.posting.kind in _USAGE

    @property
    def priced(self) -> bool:
        """Whether the row has a quantity with a price. Usage and purchases have one."""
        return self.posting.kind in ("charge", "top-up")

    @property
    def amount_pico(self) -> int:
        """The amount that was used or bought. For an adjustment it is the amount that it takes."""
        return self.posting.wallet_pico if self.posting.kind == "top-up" else -self.posting.wallet_pico

    @property
    def tokens(self) -> int:
        return self.posting.input_tokens + self.posting.output_tokens

    @property
    def sku(self) -> str:
        return f"{self.posting.provider}/{self.posting.model}" if self.is_usage else _SKU

    @cached_property
    def period(self) -> tuple[datetime, datetime]:
        """The start and end of the charge."""
        at = from_us(self.posting.id).astimezone(self.options.zone)
        if self.options.granularity == "row":
            at = at.replace(microsecond=0)
            return at, at + timedelta(seconds=1)
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        return month_of(midnight) if self.options.granularity == "month" else (midnight, midnight + timedelta(days=1))

    @cached_property
    def billing_period(self) -> tuple[str, str]:
        start = self.period[0]
        return _month(start.year, start.month, self.options.zone)

    @cached_property
    def amount(self) -> str:
        return format_usd(self.amount_pico)

    @cached_property
    def listed(self) -> str:
        """The cost without an operator's adjustments, which have no price."""
        return self.amount if self.is_usage or self.priced else _FREE

    @cached_property
    def effective(self) -> str:
        return _FREE if self.posting.kind == "top-up" else self.amount

    @property
    def issuer(self) -> str:
        return self.options.chart["issuer"]


def month_of(at: datetime) -> tuple[datetime, datetime]:
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)


@lru_cache(maxsize=64)
def _month(year: int, month: int, zone: tzinfo) -> tuple[str, str]:
    first, end = month_of(datetime(year, month, 1, tzinfo=zone))
    return _time(first), _time(end)


def _category(row: _Row) -> str:
    if row.is_usage:
        return "Usage"
    if row.posting.kind == "top-up":
        return "Purchase"
    return "Credit" if row.posting.wallet_pico > 0 else "Adjustment"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _unit_price(row: _Row) -> str:
    """Returns the price of one request, day or month, so that price × quantity equals the cost to the last digit."""
    return row.amount if row.priced else ""


def _unit(row: _Row) -> str:
    if not row.priced:
        return ""
    return _UNITS[row.options.granularity] if row.is_usage else "Payments"


def _consumed(row: _Row) -> tuple[str, str]:
    """Returns quantity and unit: tokens, or requests if there are no tokens. Validators require decimals."""
    if row.posting.kind != "charge":
        return "", ""
    quantity, unit = (row.tokens, "Tokens") if row.tokens else (row.posting.requests, "Requests")
    return f"{quantity}.0", unit


def _nothing(row: _Row) -> str:
    return ""


FocusValue = Callable[[_Row], str]
_VALUES: Mapping[str, FocusValue] = {
    "AvailabilityZone": _nothing,
    "BilledCost": lambda row: row.amount if row.posting.kind == "top-up" else _FREE,
    "BillingAccountId": lambda row: row.posting.user_id,
    "BillingAccountName": lambda row: csv_text.text(row.posting.user_name),
    "BillingAccountType": lambda row: "Customer",
    "BillingCurrency": lambda row: CURRENCY,
    "BillingPeriodEnd": lambda row: row.billing_period[1],
    "BillingPeriodStart": lambda row: row.billing_period[0],
    "CapacityReservationId": _nothing,
    "CapacityReservationStatus": _nothing,
    "ChargeCategory": _category,
    "ChargeClass": lambda row: "Correction" if row.posting.kind == "correction" else "",
    "ChargeDescription": lambda row: csv_text.text(title(row.posting)),
    "ChargeFrequency": lambda row: "Usage-Based" if row.is_usage else "One-Time",
    "ChargePeriodEnd": lambda row: _time(row.period[1]),
    "ChargePeriodStart": lambda row: _time(row.period[0]),
    "CommitmentDiscountCategory": _nothing,
    "CommitmentDiscountId": _nothing,
    "CommitmentDiscountName": _nothing,
    "CommitmentDiscountQuantity": _nothing,
    "CommitmentDiscountStatus": _nothing,
    "CommitmentDiscountType": _nothing,
    "CommitmentDiscountUnit": _nothing,
    "ConsumedQuantity": lambda row: _consumed(row)[0],
    "ConsumedUnit": lambda row: _consumed(row)[1],
    "ContractedCost": lambda row: row.listed,
    "ContractedUnitPrice": _unit_price,
    "EffectiveCost": lambda row: row.effective,
    "HostProviderName": lambda row: row.posting.provider or row.issuer,
    "InvoiceId": _nothing,
    "InvoiceIssuerName": lambda row: row.issuer,
    "ListCost": lambda row: row.listed,
    "ListUnitPrice": _unit_price,
    "PricingCategory": lambda row: "Standard" if row.priced else "",
    "PricingCurrency": lambda row: CURRENCY,
    "PricingCurrencyContractedUnitPrice": _unit_price,
    "PricingCurrencyEffectiveCost": lambda row: row.effective,
    "PricingCurrencyListUnitPrice": _unit_price,
    "PricingQuantity": lambda row: "1.0" if row.priced else "",
    "PricingUnit": _unit,
    "ProviderName": lambda row: row.issuer,
    "PublisherName": lambda row: row.posting.provider or row.issuer,
    "RegionId": _nothing,
    "RegionName": _nothing,
    "ResourceId": _nothing,
    "ResourceName": _nothing,
    "ResourceType": _nothing,
    "ServiceCategory": lambda row: "AI and Machine Learning",
    "ServiceName": lambda row: "AI usage",
    "ServiceProviderName": lambda row: row.issuer,
    "ServiceSubcategory": lambda row: "Generative AI",
    "SkuId": lambda row: row.sku if row.priced else "",
    "SkuMeter": _unit,
    "SkuPriceDetails": _nothing,
    "SkuPriceId": lambda row: row.sku if row.priced else "",
    "SubAccountId": _nothing,
    "SubAccountName": _nothing,
    "SubAccountType": _nothing,
    "Tags": _nothing,
    "x_InputTokens": lambda row: str(row.posting.input_tokens),
    "x_OutputTokens": lambda row: str(row.posting.output_tokens),
    "x_PostedAt": lambda row: str(format_instant(row.posting.id)),
    "x_ProviderCost": lambda row: format_usd(row.posting.cost_pico),
    "x_Requests": lambda row: str(row.posting.requests),
    "x_RequestId": lambda row: "" if row.posting.request_id is None else format_request_id(row.posting.request_id),
    "x_UsageAt": lambda row: format_instant(row.posting.usage_at_us) or "",
}
COLUMNS = tuple(_VALUES)


class Focus:
    """Writes postings as rows of FOCUS."""

    def __init__(self, options: ExportOptions) -> None:
        self._options = options
        self._file = f"{options.stem}.csv"
        self._head = csv_text.line(COLUMNS)

    def known(self, postings: Iterable[Posting]) -> None:
        """Ignores earlier postings, because rows do not depend on them."""

    def feed(self, postings: Iterable[Posting]) -> Iterator[FilePiece]:
        rows = [_Row(posting, self._options) for posting in postings]
        text = b"".join([csv_text.line([value(row) for value in _VALUES.values()]) for row in rows])
        if self._head or text:
            yield FilePiece(self._file, self._head + text)
            self._head = b""

    def end(self) -> Iterator[FilePiece]:
        yield from self.feed(())


FORM = ExportFormat(
    "csv",
    Focus,
    AccountNames({"issuer": "softix"}, PLAIN, "ACME Inc."),
    ("day", "row", "month"),
    by_model=True,
    takes_costs=False,
    takes_opening=False,
)
